//! Reads a table as spreadsheets and programs write it: UTF-8 or UTF-16, with commas, semicolons or tabs.

use crate::{
    error::{Error, Result},
    web::csv::unguarded,
};

/// What errors about the whole file name.
const FILE: &str = "file";
/// The most bytes of one import: it is held in memory while it is planned.
pub const MOST_BYTES: usize = 64 * 1024 * 1024;

/// A table: its first line, and the others with the numbers of the lines on which they begin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sheet {
    /// The names of the columns.
    pub heads: Vec<String>,
    /// The rows, each as wide as the first line.
    pub rows: Vec<(u64, csv::StringRecord)>,
}

/// Reads it.
///
/// # Errors
/// `Invalid`, saying what is wrong with the file and where.
pub fn read(bytes: &[u8]) -> Result<Sheet> {
    if bytes.len() > MOST_BYTES {
        return Err(Error::field(FILE, format!("must be at most {} MiB", MOST_BYTES / 1024 / 1024)));
    }
    let text = text(bytes)?;
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter(&text))
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut sheet = Sheet::default();
    for record in reader.records() {
        let record = record.map_err(|error| Error::field(FILE, format!("is no table: {error}")))?;
        let line = record.position().map_or(0, csv::Position::line);
        if sheet.heads.is_empty() {
            sheet.heads = record.iter().map(unguarded).collect();
            continue;
        }
        let cells: csv::StringRecord = record.iter().map(unguarded).collect();
        // Spreadsheets leave lines of nothing but separators at the end.
        if cells.iter().all(str::is_empty) {
            continue;
        }
        if cells.len() != sheet.heads.len() {
            let (has, wants) = (cells.len(), sheet.heads.len());
            return Err(Error::field(FILE, format!("line {line} has {has} cells, and the first line has {wants}")));
        }
        sheet.rows.push((line, cells));
    }
    if sheet.heads.iter().all(String::is_empty) {
        return Err(Error::field(FILE, "is empty; the first line must name the columns"));
    }
    Ok(sheet)
}

/// The file as text, by the mark at its beginning.
fn text(bytes: &[u8]) -> Result<String> {
    let wide = |rest: &[u8], number: fn([u8; 2]) -> u16| {
        let units = rest.chunks_exact(2).map(|pair| number([pair[0], pair[1]]));
        let text: std::result::Result<String, _> = char::decode_utf16(units).collect();
        text.map_err(|_| Error::field(FILE, "is not UTF-16, as its first bytes say"))
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest),
        _ => utf8(bytes),
    }
}

fn utf8(bytes: &[u8]) -> Result<String> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|error| {
        let line = bytes.get(..error.valid_up_to()).unwrap_or_default().split(|byte| *byte == b'\n').count();
        Error::field(FILE, format!("line {line} is not UTF-8; save it as \"CSV UTF-8\""))
    })
}

/// What stands between cells: of the three that are used, the one that the first line has most of.
fn delimiter(text: &str) -> u8 {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let count = |wanted: &u8| {
        let mut quoted = false;
        first
            .bytes()
            .filter(|byte| {
                quoted ^= *byte == b'"';
                !quoted && byte == wanted
            })
            .count()
    };
    [b'\t', b';', b','].into_iter().max_by_key(count).unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(bytes: &[u8]) -> (Vec<String>, Vec<Vec<String>>) {
        let sheet = read(bytes).unwrap();
        (sheet.heads, sheet.rows.iter().map(|(_, cells)| cells.iter().map(str::to_owned).collect()).collect())
    }

    #[test]
    fn every_encoding_and_separator_gives_the_same() {
        let wanted = rows("name,note\nZoë,\"a, b\"\n".as_bytes());
        assert_eq!(wanted.1, [["Zoë", "a, b"]]);
        let semicolons = "name;note\r\nZoë;a, b\r\n";
        let wide = |order: fn(u16) -> [u8; 2], mark: [u8; 2]| {
            mark.into_iter().chain(semicolons.encode_utf16().flat_map(order)).collect::<Vec<u8>>()
        };
        for bytes in [
            [b"\xef\xbb\xbf".as_slice(), semicolons.as_bytes()].concat(),
            "name\tnote\nZoë\ta, b".as_bytes().to_vec(),
            wide(u16::to_le_bytes, [0xff, 0xfe]),
            wide(u16::to_be_bytes, [0xfe, 0xff]),
            "name;note\nZoë;a, b\n;\n;\n".as_bytes().to_vec(),
        ] {
            assert_eq!(rows(&bytes), wanted, "{bytes:?}");
        }
    }

    #[test]
    fn what_is_no_table_is_refused_with_its_line() {
        for (bytes, says) in [
            (b"name\nZo\xeb\n".as_slice(), "line 2 is not UTF-8"),
            (b"a,b\n1,2\n3\n", "line 3 has 1 cells"),
            (b"", "is empty"),
            (b"\n \n", "is empty"),
        ] {
            let Err(Error::Invalid(errors)) = read(bytes) else { panic!("{bytes:?}") };
            assert!(errors[0].message.contains(says), "{}", errors[0].message);
        }
    }

    #[test]
    fn a_line_in_several_lines_is_one_row() {
        let sheet = read(b"a,b\n\"x\ny\",1\nz,2\n").unwrap();
        assert_eq!(sheet.rows.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 4]);
    }
}
