//! Writes settings into `codex.conf` without disturbing what else stands in it.

use std::{fs, io, io::Write as _, path::Path};

use super::private;

/// One setting to write: section, key, value.
pub type Setting<'a> = (&'a str, &'a str, &'a str);

/// Sets the keys in the file: comments, order and foreign sections stay, the file is replaced in one
/// step and only its owner may read it. A link to a file elsewhere (`/etc/codex`) stays one.
pub fn save(instance: &Path, settings: &[Setting<'_>]) -> io::Result<()> {
    let named = instance.join("codex.conf");
    let path = fs::canonicalize(&named).unwrap_or(named);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    let text = settings.iter().fold(text, |text, setting| with(&text, *setting));
    let temporary = path.with_file_name(".codex.conf.new");
    let mut file = private::create(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary, &path)
}

/// The text with one key set: in its line, else at the end of its section, else in a new section.
fn with(text: &str, (section, key, value): Setting<'_>) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let assignment = format!("{key} = {}", value.replace(['\n', '\r'], " "));
    let header =
        |line: &str| line.trim().strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(name, _)| name.to_owned());
    let Some(start) = lines.iter().position(|line| header(line).is_some_and(|name| name == section)) else {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.extend([format!("[{section}]"), assignment]);
        return lines.join("\n") + "\n";
    };
    let end = lines.iter().skip(start + 1).position(|line| header(line).is_some()).map_or(lines.len(), |n| start + 1 + n);
    let is_key = |line: &str| {
        let named = line.split_once(['=', ':']).is_some_and(|(name, _)| name.trim().eq_ignore_ascii_case(key));
        named && !line.starts_with(['#', ';', ' ', '\t'])
    };
    if let Some(at) = (start + 1..end).find(|at| is_key(&lines[*at])) {
        // The lines that continued the old value go with it.
        let rest = lines.iter().skip(at + 1).take_while(|line| line.starts_with([' ', '\t']) && !line.trim().is_empty()).count();
        lines.splice(at..=at + rest, [assignment]);
    } else {
        let last = (start..end).rev().find(|at| !lines[*at].trim().is_empty()).unwrap_or(start);
        lines.insert(last + 1, assignment);
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_it_does_not_know() {
        let before = "# mine\n[a]\nk: 1\n  more\n\n[b]\nx = y\n";
        assert_eq!(with(before, ("a", "k", "2")), "# mine\n[a]\nk = 2\n\n[b]\nx = y\n");
        assert_eq!(with(before, ("a", "n", "%")), "# mine\n[a]\nk: 1\n  more\nn = %\n\n[b]\nx = y\n");
        assert_eq!(with("", ("c", "z", "1")), "[c]\nz = 1\n");
    }

    #[test]
    fn a_link_stays_a_link() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let file = elsewhere.path().join("codex.conf");
        fs::write(&file, "# mine\n").unwrap();
        std::os::unix::fs::symlink(&file, folder.path().join("codex.conf")).unwrap();
        save(folder.path(), &[("a", "b", "c")]).unwrap();
        assert!(folder.path().join("codex.conf").is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "# mine\n\n[a]\nb = c\n");
    }

    #[test]
    fn only_the_owner_reads_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        save(folder.path(), &[("datto", "public_key", "p"), ("datto", "secret_key", "s")]).unwrap();
        let path = folder.path().join("codex.conf");
        assert_eq!(fs::read_to_string(&path).unwrap(), "[datto]\npublic_key = p\nsecret_key = s\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
