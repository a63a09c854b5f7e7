//! What is in attachments, in a folder beside the database: each content once, under its SHA-256.
//!
//! A file comes in under a name of its own, is written to the disk, and only then gets its place; its row is stored after
//! that. So a row never stands for a file that is not there. What a failed upload leaves is swept into a trash, from which it
//! is taken back when a row needs it after all.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use futures_util::stream::{self, Stream};
use tokio::{
    fs::File,
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::{RwLock, RwLockReadGuard},
};

use super::store;
use crate::{
    auth::secret,
    config::{Config, private},
    db::Db,
    error::{Error, Result},
    types::{Scope, hex},
};

/// How much of a file tells what it is.
const HEAD: usize = 8 * 1024;
/// How much is read at once.
const PIECE: usize = 64 * 1024;
/// After how long a file that no row knows is swept into the trash, how long it is kept there, and how often that is looked
/// at, in seconds.
const ABANDONED: Duration = Duration::from_hours(24);
const KEPT: Duration = Duration::from_hours(30 * 24);
const SWEPT_EVERY: i64 = 3_600;

/// Files get their place beside each other, but not while what nobody uses is taken away.
static PLACES: RwLock<()> = RwLock::const_new(());
/// When that was looked at last.
static SWEPT: AtomicI64 = AtomicI64::new(0);

/// The folder.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

/// A content that has its place.
pub struct Placed {
    /// Its name.
    pub sha256: String,
    /// Its length.
    pub bytes: i64,
    /// What it is.
    pub media_type: String,
    /// Nothing is swept away until its row is stored.
    _held: RwLockReadGuard<'static, ()>,
}

impl Folder {
    /// The folder of this instance.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        Self(config.instance.join("attachments"))
    }

    /// Where it is, for people.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Where a content stands that has its place.
    #[must_use]
    pub fn place(&self, sha256: &str) -> PathBuf {
        self.0.join(sha256.get(..2).unwrap_or_default()).join(sha256)
    }

    /// Where a content is now: in its place, or still in the trash.
    #[must_use]
    pub fn find(&self, sha256: &str) -> Option<PathBuf> {
        [self.place(sha256), self.trash().join(sha256)].into_iter().find(|path| path.is_file())
    }

    /// What uploads have left that were broken off, and nobody has swept yet.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn abandoned(&self) -> io::Result<Vec<PathBuf>> {
        let entries = match fs::read_dir(self.drafts()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry?.path();
            if is_older(&path, ABANDONED)? {
                found.push(path);
            }
        }
        Ok(found)
    }

    fn drafts(&self) -> PathBuf {
        self.0.join("incoming")
    }

    /// What no row of ours needs: another database on the same folder, or a backup of ours, may.
    fn trash(&self) -> PathBuf {
        self.0.join("trash")
    }

    /// A file that is about to come in, of at most so many bytes.
    pub async fn draft(&self, limit: usize) -> Result<Draft> {
        let folder = self.drafts();
        let path = folder.join(secret::random()?);
        let made = path.clone();
        let file = blocking(move || {
            private::folder(&folder)?;
            private::create_new(&made)
        })
        .await?;
        let (file, folder) = (File::from_std(file), self.clone());
        Ok(Draft { folder, file, path, context: Context::new(&SHA256), head: Vec::new(), bytes: 0, limit, is_placed: false })
    }

    /// A content piece by piece, and its length; one that a sweep has taken away is taken back.
    ///
    /// # Errors
    /// `NotFound` when it is not there.
    pub async fn read(&self, sha256: &str) -> Result<(u64, impl Stream<Item = io::Result<Bytes>> + use<>)> {
        let missing = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => Error::NotFound { what: "File" },
            _ => failed(&error),
        };
        let file = match File::open(self.place(sha256)).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let (folder, name) = (self.clone(), sha256.to_owned());
                blocking(move || folder.take_back(&name)).await?;
                File::open(self.place(sha256)).await
            }
            opened => opened,
        };
        let file = file.map_err(missing)?;
        let length = file.metadata().await.map_err(|error| failed(&error))?.len();
        let pieces = stream::try_unfold(file, |mut file| async move {
            let mut piece = vec![0; PIECE];
            let count = file.read(&mut piece).await?;
            piece.truncate(count);
            Ok((count > 0).then(|| (Bytes::from(piece), file)))
        });
        Ok((length, pieces))
    }

    /// Moves into the trash what no row knows and no upload is about to store, and deletes what has been there for long: now
    /// and then, after an upload.
    pub async fn sweep_now_and_then(&self, db: &Db) -> Result<()> {
        let now = jiff::Timestamp::now().as_second();
        if now - SWEPT.swap(now, Ordering::Relaxed) < SWEPT_EVERY {
            return Ok(());
        }
        let _alone = PLACES.write().await;
        let (drafts, trash) = (self.drafts(), self.trash());
        let folder = self.clone();
        for path in blocking(move || folder.files()).await? {
            let (is_draft, is_trash) = (path.starts_with(&drafts), path.starts_with(&trash));
            let age = if is_trash { KEPT } else { ABANDONED };
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if is_draft || is_trash {
                let is_used = is_trash && is_used(db, &name).await?;
                let folder = self.clone();
                blocking(move || match (is_used, is_older(&path, age)?) {
                    (true, _) => folder.take_back(&name),
                    (false, true) => gone(fs::remove_file(path)),
                    (false, false) => Ok(()),
                })
                .await?;
                continue;
            }
            let old = path.clone();
            if blocking(move || is_older(&old, age)).await? && !is_used(db, &name).await? {
                let folder = self.clone();
                blocking(move || folder.discard(&path, &name)).await?;
            }
        }
        Ok(())
    }

    /// Takes a content away that no row knows any more.
    pub async fn take_away(&self, db: &Db, sha256: String) -> Result<()> {
        let _alone = PLACES.write().await;
        let places = [self.place(&sha256), self.trash().join(&sha256)];
        if db.read(&Scope::All, move |c| store::is_used(c, &sha256)).await? {
            return Ok(());
        }
        blocking(move || places.into_iter().try_for_each(|path| gone(fs::remove_file(path)))).await
    }

    /// Moves a content into the trash, unless it was written meanwhile, as by another process. Should that happen in the very
    /// moment, whoever reads it takes it back.
    fn discard(&self, path: &Path, name: &str) -> io::Result<()> {
        if !is_older(path, ABANDONED)? {
            return Ok(());
        }
        private::folder(&self.trash())?;
        // From here on its time says since when it is there.
        fs::File::options().write(true).open(path)?.set_modified(jiff::Timestamp::now().into())?;
        gone(fs::rename(path, self.trash().join(name)))
    }

    /// Takes a content back from the trash, if it is there.
    fn take_back(&self, sha256: &str) -> io::Result<()> {
        let place = self.place(sha256);
        let there = self.trash().join(sha256);
        if !there.exists() {
            return Ok(());
        }
        private::folder(place.parent().unwrap_or(Path::new(".")))?;
        gone(fs::rename(there, place))
    }

    /// Every file in the folders of the folder.
    fn files(&self) -> io::Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for folder in fs::read_dir(&self.0)? {
            let folder = folder?.path();
            if !folder.is_dir() {
                continue;
            }
            for file in fs::read_dir(folder)? {
                found.push(file?.path());
            }
        }
        Ok(found)
    }
}

/// Whether a file has not been written for so long; not one that is there no more.
fn is_older(path: &Path, age: Duration) -> io::Result<bool> {
    match fs::metadata(path).and_then(|found| found.modified()) {
        Ok(written) => Ok(written.elapsed().is_ok_and(|passed| passed > age)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

async fn is_used(db: &Db, name: &str) -> Result<bool> {
    let name = name.to_owned();
    db.read(&Scope::All, move |c| store::is_used(c, &name)).await
}

/// A file that is coming in; dropped before it has its place, it is taken away.
pub struct Draft {
    folder: Folder,
    file: File,
    path: PathBuf,
    context: Context,
    head: Vec<u8>,
    bytes: usize,
    limit: usize,
    is_placed: bool,
}

impl Draft {
    /// Writes the next piece.
    ///
    /// # Errors
    /// `TooLarge`; `Storage` when the disk takes no more.
    pub async fn write(&mut self, piece: &[u8]) -> Result<()> {
        self.bytes += piece.len();
        if self.bytes > self.limit {
            return Err(Error::TooLarge { limit: self.limit });
        }
        self.context.update(piece);
        let missing = HEAD.saturating_sub(self.head.len()).min(piece.len());
        self.head.extend_from_slice(piece.get(..missing).unwrap_or_default());
        self.file.write_all(piece).await.map_err(|error| failed(&error))
    }

    /// Gives it its place, when all of it is on the disk.
    ///
    /// # Errors
    /// `Invalid` for an empty file; `Storage`.
    pub async fn place(mut self) -> Result<Placed> {
        if self.bytes == 0 {
            return Err(Error::field("file", "is empty"));
        }
        self.file.flush().await.map_err(|error| failed(&error))?;
        self.file.sync_all().await.map_err(|error| failed(&error))?;
        let context = std::mem::replace(&mut self.context, Context::new(&SHA256));
        let sha256 = hex(context.finish().as_ref());
        let held = PLACES.read().await;
        let (from, to) = (self.path.clone(), self.folder.place(&sha256));
        blocking(move || {
            let folder = to.parent().unwrap_or(Path::new("."));
            private::folder(folder)?;
            fs::rename(from, &to)?;
            fs::File::open(folder)?.sync_all()
        })
        .await?;
        self.is_placed = true;
        let bytes = i64::try_from(self.bytes).unwrap_or(i64::MAX);
        Ok(Placed { sha256, bytes, media_type: media_type(&self.head), _held: held })
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.is_placed {
            // What cannot be taken away now is swept away later.
            drop(fs::remove_file(&self.path));
        }
    }
}

/// What a content is, by its beginning; never by what the file is called.
fn media_type(head: &[u8]) -> String {
    // What could run in a browser is told as the text that it is.
    if let Some(known) = infer::get(head).map(|known| known.mime_type()).filter(|kind| !kind.starts_with("text/")) {
        return known.to_owned();
    }
    let is_text = match std::str::from_utf8(head) {
        Ok(_) => true,
        // The beginning may end within a character.
        Err(error) => error.error_len().is_none() && error.valid_up_to() > 0,
    };
    let kind = if is_text && !head.contains(&0) { "text/plain; charset=utf-8" } else { "application/octet-stream" };
    kind.to_owned()
}

fn gone(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn failed(error: &io::Error) -> Error {
    Error::Storage(format!("the folder of attachments cannot be used: {}", error.kind()))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)?.map_err(|error| failed(&error))
}

#[cfg(test)]
mod tests {
    use super::media_type;

    #[test]
    fn a_file_is_what_is_in_it() {
        for (head, kind) in [
            (&b"%PDF-1.7\n"[..], "application/pdf"),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png"),
            (b"<!DOCTYPE html><script>", "text/plain; charset=utf-8"),
            (b"plain words", "text/plain; charset=utf-8"),
            ("caf\u{e9}".as_bytes().split_last().unwrap().1, "text/plain; charset=utf-8"),
            (b"\0\x01\x02\xff", "application/octet-stream"),
        ] {
            assert_eq!(media_type(head), kind);
        }
    }
}
