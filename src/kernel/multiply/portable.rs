//! Tiles of images in plain Rust.

use super::{Item, Product, Vector, multiply_add};

pub(super) fn add<const L: usize>(product: &Product<'_, L>, items: &[Item], fields: &mut [Vector<L>]) {
    let first = product.start.map_or(0, |start| start.0);
    for item in items {
        for row in 0..product.n_rows {
            let field = &mut fields[product.out.at(item.group, row)];
            let mut sum = product.bias(row).map_or(*field, |bias| [bias; _]);
            for span in product.spans {
                let weights = product.weights[span.k as usize * product.n_rows + row..].iter().step_by(product.n_rows);
                let columns = &product.columns[(span.column + item.column) as usize..][..span.len as usize];
                for (x, weight) in columns.iter().zip(weights) {
                    multiply_add(&mut sum, *weight, x);
                }
            }
            let addend = product.addend.as_ref().map(|(tensor, stride)| &tensor[stride.at(item.group, row)]);
            for (lane, (field, sum)) in field.iter_mut().zip(sum).enumerate() {
                *field = product.finish.apply(first + row, sum, addend.map(|addend| addend[lane]));
            }
        }
    }
}
