//! Tiles of images in plain Rust: the loop that defines what the vector files compute.

use super::finish::multiply_add;
use super::product::{OutputPixel, Product, Vector};

pub(super) fn add<const L: usize>(product: &Product<'_, L>, pixels: &[OutputPixel], fields: &mut [Vector<L>]) {
    for pixel in pixels {
        for row in 0..product.n_rows {
            let mut sum = [product.bias(row); _];
            for span in product.spans {
                let weights = product.weights[span.k as usize * product.n_rows + row..].iter().step_by(product.n_rows);
                let columns = &product.columns[(span.column + pixel.shift) as usize..][..span.len as usize];
                for (x, weight) in columns.iter().zip(weights) {
                    multiply_add(&mut sum, *weight, x);
                }
            }
            let addend = product.addend.as_ref().map(|(tensor, strides)| &tensor[strides.at(pixel.index, row)]);
            let field = &mut fields[product.out.at(pixel.index, row)];
            for (lane, (field, sum)) in field.iter_mut().zip(sum).enumerate() {
                *field = product.finish.apply(product.first_row + row, sum, addend.map(|addend| addend[lane]));
            }
        }
    }
}
