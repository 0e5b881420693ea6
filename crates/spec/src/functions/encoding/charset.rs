//! Character encodings by their IANA names.

/// A character encoding.
#[derive(Clone, Copy)]
pub(super) enum Charset {
    Ascii,
    Latin1,
    Utf8,
    /// Big endian with a byte order mark when written; read as its mark says.
    Utf16,
    Utf16Be,
    Utf16Le,
}

impl Charset {
    /// Returns the encoding of a name, in whichever case.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name.to_ascii_uppercase().as_str() {
            "ASCII" | "US-ASCII" => Some(Self::Ascii),
            "ISO-8859-1" | "LATIN1" => Some(Self::Latin1),
            "UTF-8" => Some(Self::Utf8),
            "UTF-16" => Some(Self::Utf16),
            "UTF-16BE" => Some(Self::Utf16Be),
            "UTF-16LE" => Some(Self::Utf16Le),
            _ => None,
        }
    }

    /// Encodes text, or returns `None` when the encoding lacks one of its characters.
    pub(super) fn encode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Ascii => text.is_ascii().then(|| text.as_bytes().to_vec()),
            Self::Latin1 => text.chars().map(|letter| u8::try_from(letter).ok()).collect(),
            Self::Utf8 => Some(text.as_bytes().to_vec()),
            Self::Utf16 => {
                let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
                Some(units.flat_map(u16::to_be_bytes).collect())
            }
            Self::Utf16Be => Some(text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
            Self::Utf16Le => Some(text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        }
    }

    /// Decodes text, or returns `None` when the bytes are no text in this encoding.
    pub(super) fn decode(self, bytes: &[u8]) -> Option<String> {
        match (self, bytes) {
            (Self::Ascii, _) => {
                String::from_utf8(bytes.to_vec()).ok().filter(|text| text.is_ascii())
            }
            (Self::Latin1, _) => Some(bytes.iter().map(|byte| char::from(*byte)).collect()),
            (Self::Utf8, _) => String::from_utf8(bytes.to_vec()).ok(),
            (Self::Utf16, [0xFF, 0xFE, rest @ ..]) => utf16(rest, u16::from_le_bytes),
            (Self::Utf16, [0xFE, 0xFF, rest @ ..]) => utf16(rest, u16::from_be_bytes),
            (Self::Utf16 | Self::Utf16Be, _) => utf16(bytes, u16::from_be_bytes),
            (Self::Utf16Le, _) => utf16(bytes, u16::from_le_bytes),
        }
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let (pairs, []) = bytes.as_chunks::<2>() else { return None };
    char::decode_utf16(pairs.iter().copied().map(unit)).collect::<Result<_, _>>().ok()
}
