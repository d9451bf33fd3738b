//! The bits of a JPEG's scan, and its Huffman codes.

/// Why a file does not hold its image, in a few words.
pub(super) type Damage = String;

/// Said of files that end too early.
pub(super) const CUT: &str = "the file is cut short";

/// Codes of up to 16 bits: length and symbol, by the next 16 bits; length 0 where there is no such code.
pub(super) struct HuffmanCode(Vec<(u8, u8)>);

impl HuffmanCode {
    /// From the number of codes of each length, 1 to 16, and their symbols; nothing if these are no codes.
    pub(super) fn new(lengths: &[u8; 16], symbols: &[u8]) -> Option<Self> {
        let mut codes = vec![(0, 0); 1 << 16];
        let (mut first, mut symbols) = (0, symbols.iter());
        for (length, &n) in (1u8..).zip(lengths) {
            for &symbol in symbols.by_ref().take(n.into()) {
                let end = first + (1 << (16 - length));
                codes.get_mut(first..end)?.fill((length, symbol));
                first = end;
            }
        }
        Some(Self(codes))
    }
}

/// Huffman codes: of DC, then of AC coefficients.
#[derive(Default)]
pub(super) struct HuffmanCodes([[Option<HuffmanCode>; 4]; 2]);

impl HuffmanCodes {
    /// Reads a segment of codes.
    pub(super) fn define(&mut self, mut segment: &[u8]) -> Option<()> {
        while let Some((&class_and_index, rest)) = segment.split_first() {
            let (lengths, rest) = rest.split_first_chunk::<16>()?;
            let n_symbols = lengths.iter().map(|&n| usize::from(n)).sum();
            let (symbols, rest) = rest.split_at_checked(n_symbols)?;
            let code = self.0.get_mut(usize::from(class_and_index >> 4))?.get_mut(usize::from(class_and_index & 15))?;
            *code = Some(HuffmanCode::new(lengths, symbols)?);
            segment = rest;
        }
        Some(())
    }

    /// The codes of a class, 0 for DC and 1 for AC, under a number.
    pub(super) fn get(&self, class: usize, index: usize) -> Result<&HuffmanCode, Damage> {
        self.0[class][index].as_ref().ok_or_else(|| "Huffman codes are missing".into())
    }
}

/// Bits up to the next marker.
pub(super) struct Bits<'a> {
    rest: &'a [u8],
    /// The next bits, in the highest places.
    next: u64,
    n_next: u32,
    /// How many more blocks have no coefficients of the progressive scan's band.
    pub run: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(rest: &'a [u8]) -> Self {
        Self { rest, next: 0, n_next: 0, run: 0 }
    }

    /// The bytes behind those that have been looked at.
    pub(super) fn rest(self) -> &'a [u8] {
        self.rest
    }

    /// Looks at more bytes, as far as there are and no marker comes.
    fn fill(&mut self) {
        while self.n_next <= 56 {
            let (byte, length) = match *self.rest {
                [0xff, 0, ..] => (0xff, 2),
                [0xff, ..] | [] => return,
                [byte, ..] => (byte, 1),
            };
            self.next |= u64::from(byte) << (56 - self.n_next);
            self.n_next += 8;
            self.rest = &self.rest[length..];
        }
    }

    fn skip(&mut self, n: u32) -> Result<(), Damage> {
        self.n_next = self.n_next.checked_sub(n).ok_or("a scan is cut short")?;
        self.next <<= n;
        Ok(())
    }

    /// Up to 16 bits as a number.
    pub(super) fn take(&mut self, n: u32) -> Result<u32, Damage> {
        if self.n_next < n {
            self.fill();
        }
        let value = (self.next >> 48) as u32 >> (16 - n);
        self.skip(n)?;
        Ok(value)
    }

    /// The symbol of the next code.
    pub(super) fn symbol(&mut self, code: &HuffmanCode) -> Result<u8, Damage> {
        if self.n_next < 16 {
            self.fill();
        }
        match code.0[(self.next >> 48) as usize] {
            // What is behind the end reads as zeros here: an unknown code may be a cut one.
            (0, _) if self.n_next < 16 => Err("a scan is cut short".into()),
            (0, _) => Err("a scan has an unknown code".into()),
            (length, symbol) => self.skip(length.into()).map(|()| symbol),
        }
    }
}
