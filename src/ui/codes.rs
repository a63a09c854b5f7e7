//! Codes that machines read off paper and screens, drawn as one path of dark squares or bars.

use barcoders::sym::code128::Code128;
use qrcode::{Color, QrCode};

use crate::error::{Error, Result};

/// What barcoders has stand before text in character set B: letters of both cases, digits and punctuation.
const SET_B: char = '\u{0181}';

/// A code with the quiet zone around it, in units of its smallest square or bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// With the quiet zone.
    pub width: usize,
    /// The same.
    pub height: usize,
    /// What is dark, as the data of an SVG path.
    pub path: String,
}

/// A QR code (ISO/IEC 18004) of this text, with its quiet zone of four squares.
///
/// # Errors
/// Text that is longer than a QR code holds.
pub fn qr(text: &str) -> Result<Picture> {
    const QUIET: usize = 4;
    let code = QrCode::new(text.as_bytes()).map_err(Error::internal)?;
    let width = code.width();
    let dark = code.to_colors().into_iter().enumerate().filter(|(_, color)| *color == Color::Dark);
    let square = |(at, _): (usize, Color)| format!("M{} {}h1v1h-1z", at % width + QUIET, at / width + QUIET);
    Ok(Picture { width: width + 2 * QUIET, height: width + 2 * QUIET, path: dark.map(square).collect() })
}

/// A Code 128 (ISO/IEC 15417) of this text, with its quiet zone of ten bars; none for text that is empty, too long for a label, or
/// not printable ASCII.
#[must_use]
pub fn code128(text: &str) -> Option<Picture> {
    const QUIET: usize = 10;
    const HEIGHT: usize = 24;
    const LONGEST: usize = 30;
    if text.is_empty() || text.len() > LONGEST || !text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return None;
    }
    let bars = Code128::new(format!("{SET_B}{text}")).ok()?.encode();
    let dark = bars.iter().enumerate().filter(|(_, bar)| **bar == 1);
    let strokes: Vec<String> = dark.map(|(at, _)| format!("M{} 0h1v{HEIGHT}h-1z", at + QUIET)).collect();
    let path = strokes.concat();
    Some(Picture { width: bars.len() + 2 * QUIET, height: HEIGHT, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_their_size() {
        // Eleven bars for the start, each character and the checksum, thirteen for the stop, ten on either side.
        let code = code128("SN-4711").unwrap();
        assert_eq!(code.width, 11 + 7 * 11 + 11 + 13 + 20);
        // The start of set B is 11010010000.
        assert!(code.path.starts_with("M10 0h1v24h-1zM11 0h1v24h-1zM13 0h1v24h-1zM16 0h1v24h-1zM21"), "{}", code.path);
        assert_eq!(code128("Łódź"), None);
        assert_eq!(code128(""), None);
        // Version 3: 29 squares and four on either side.
        let code = qr("https://codex.example/assets/1").unwrap();
        assert_eq!((code.width, code.height), (37, 37));
    }
}
