//! Which tensors share a buffer.

/// The buffer of each tensor, and how large the buffers are: one is used again when its tensor's life is over.
pub(super) fn buffers(sizes: &[usize], lives: &[Option<(usize, usize)>]) -> (Vec<usize>, Vec<usize>) {
    let n_stages = lives.iter().flatten().map(|(_, last)| last + 1).max().unwrap_or(0);
    let (mut born, mut dying) = (vec![Vec::new(); n_stages], vec![Vec::new(); n_stages]);
    for (tensor, life) in lives.iter().enumerate() {
        if let Some((first, last)) = *life {
            born[first].push(tensor);
            dying[last].push(tensor);
        }
    }
    let (mut buffers, mut free) = (Vec::<usize>::new(), Vec::<usize>::new());
    let mut buffer_of = vec![usize::MAX; sizes.len()];
    for (born, dying) in born.iter().zip(&dying) {
        for &tensor in born {
            let size = sizes[tensor];
            // The free buffer that fits best: the smallest that is large enough, or else the largest.
            let best = free.iter().enumerate().min_by_key(|(_, buffer)| {
                let found = buffers[**buffer];
                (found < size, if found < size { usize::MAX - found } else { found })
            });
            let buffer = match best.map(|(position, _)| position) {
                Some(position) => free.swap_remove(position),
                None => {
                    buffers.push(0);
                    buffers.len() - 1
                }
            };
            buffers[buffer] = buffers[buffer].max(size);
            buffer_of[tensor] = buffer;
        }
        free.extend(dying.iter().map(|&tensor| buffer_of[tensor]));
    }
    (buffer_of, buffers)
}
