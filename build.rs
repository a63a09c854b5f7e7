//! Rebuilds when an embedded file changes: migrations and assets are compiled in.

fn main() {
    for folder in ["migrations", "assets", "templates"] {
        println!("cargo:rerun-if-changed={folder}");
    }
}
