//! Reads protobuf messages field by field: ONNX files say things of themselves that ONNX Runtime does not pass on.

/// One field of a message: its number and its content.
pub(super) type Field<'a> = (u64, Content<'a>);

/// The content of a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Content<'a> {
    /// A whole number.
    Number(u64),
    /// A 32-bit float.
    Float(f32),
    /// Bytes, a text, a message, or packed numbers.
    Bytes(&'a [u8]),
}

/// The fields of a message, up to the first that is broken; fields of eight bytes are passed over.
pub(super) struct Fields<'a>(pub &'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        loop {
            let key = self.varint()?;
            let field = key >> 3;
            match key & 7 {
                0 => return Some((field, Content::Number(self.varint()?))),
                1 => drop(self.take(8)?),
                2 => {
                    let n_bytes = usize::try_from(self.varint()?).ok()?;
                    return Some((field, Content::Bytes(self.take(n_bytes)?)));
                }
                5 => {
                    let bytes = self.take(4)?.try_into().ok()?;
                    return Some((field, Content::Float(f32::from_le_bytes(bytes))));
                }
                _ => return None,
            }
        }
    }
}

impl<'a> Fields<'a> {
    /// Reads the fields of this number that have bytes.
    pub(super) fn messages(self, number: u64) -> impl Iterator<Item = &'a [u8]> {
        self.filter_map(move |(field, content)| match content {
            Content::Bytes(bytes) if field == number => Some(bytes),
            Content::Bytes(_) | Content::Number(_) | Content::Float(_) => None,
        })
    }

    /// Reads a whole number, seven bits a byte.
    pub(super) fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 127) << shift;
            if byte & 128 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, n_bytes: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(n_bytes)?;
        self.0 = rest;
        Some(taken)
    }
}
