//! Which part of a list's `FROM` decides how many rows there are.

/// The table that a list is about, when every other one only adds columns to its rows (each is joined
/// by `LEFT JOIN`) and these conditions do not look at them: counting it alone gives the same number.
pub fn countable<'a>(from: &'a str, conditions: &str) -> Option<&'a str> {
    let mut depth = 0_usize;
    let mut base = None;
    let mut offset = 0;
    let mut words = Vec::new();
    for piece in from.split_inclusive(|letter: char| letter.is_whitespace() || letter == '(' || letter == ')') {
        let word = piece.trim_end_matches(|letter: char| letter.is_whitespace() || letter == '(' || letter == ')');
        if depth == 0 && !word.is_empty() {
            words.push((offset, word));
        }
        depth = (depth + piece.matches('(').count()).saturating_sub(piece.matches(')').count());
        offset += piece.len();
    }
    for (index, _) in words.iter().enumerate().filter(|(_, (_, word))| *word == "JOIN") {
        let (before, alias) = (words.get(index.checked_sub(1)?)?, words.get(index + 2)?.1);
        if before.1 != "LEFT" || conditions.contains(&format!("{alias}.")) {
            return None;
        }
        base.get_or_insert(before.0);
    }
    base.and_then(|end| from.get(..end))
}

#[cfg(test)]
mod tests {
    use super::countable;

    const FROM: &str = "@assets asset
        LEFT JOIN @companies company ON company.id = asset.company_id
        LEFT JOIN @seen seen ON seen.id = (SELECT one.id FROM @seen one JOIN @x other ON other.id = one.id)";

    #[test]
    fn joined_tables_count_only_when_they_are_asked_about() {
        assert_eq!(countable(FROM, " WHERE asset.retired_at IS NULL").map(str::trim), Some("@assets asset"));
        assert_eq!(countable(FROM, " WHERE company.id = ?1"), None);
        assert_eq!(countable(FROM, " WHERE seen.online = ?1"), None);
        assert_eq!(countable("@a a JOIN @b b ON b.id = a.id", ""), None);
        assert_eq!(countable("@a a LEFT JOIN @b b ON b.id = a.id JOIN @c c ON c.id = a.id", ""), None);
        assert_eq!(countable("@companies company", ""), None);
    }
}
