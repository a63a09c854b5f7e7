//! The file of a backup: a tar archive, compressed with Zstandard, at whose end stands a digest of all that comes before
//! it, and around which there may be an age encryption.
//!
//! The digest stands in a frame of Zstandard that every program skips (RFC 8878, 3.1.2), so `tar --zstd` and `age` read
//! such a file as well: magic number 0x184D2A50 and length 40, each in four bytes from the lowest, the mark `codex-1` with
//! a zero byte, and the 32 bytes of a SHA-256.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use age::{
    Decryptor, Encryptor,
    stream::StreamWriter,
    x25519::{Identity, Recipient},
};
use aws_lc_rs::digest::{Context, SHA256};
use tar::{Builder, EntryType, Header};

use super::{
    manifest::{self, MANIFEST, Manifest, Member},
    scratch::unusable,
};
use crate::{
    config::private,
    error::{Error, Result},
    types::hex,
};

/// What the frame with the digest begins with.
const FRAME: [u8; 16] = *b"\x50\x2a\x4d\x18\x28\0\0\0codex-1\0";
/// The bytes of a digest, and of the whole frame.
const DIGEST: usize = 32;
const TRAILER: usize = FRAME.len() + DIGEST;
/// How hard is compressed: what Zstandard itself takes for a good balance.
const LEVEL: i32 = 3;
/// How much is read at once.
const PIECE: usize = 64 * 1024;
/// The longest manifest that is read.
const LONGEST_MANIFEST: u64 = 256 * 1024 * 1024;
/// What an encrypted file begins with.
const AGE: &[u8] = b"age-encryption.org/v1";
/// What a compressed one begins with.
const ZSTANDARD: &[u8] = b"\x28\xb5\x2f\xfd";
/// What an SQLite file begins with, as earlier versions made their backups.
const SQLITE: &[u8] = b"SQLite format 3\0";

/// Counts and digests whatever is written through it.
struct Digesting<W> {
    inner: W,
    context: Context,
    bytes: u64,
}

impl<W> Digesting<W> {
    fn new(inner: W) -> Self {
        Self { inner, context: Context::new(&SHA256), bytes: 0 }
    }
}

impl<W: Write> Write for Digesting<W> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(piece)?;
        self.context.update(piece.get(..count).unwrap_or_default());
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

type Out = Digesting<BufWriter<File>>;

/// The file itself, or an encryption around it.
enum Envelope {
    Open(Out),
    Sealed(Box<StreamWriter<Out>>),
}

impl Write for Envelope {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        match self {
            Self::Open(out) => out.write(piece),
            Self::Sealed(out) => out.write(piece),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Open(out) => out.flush(),
            Self::Sealed(out) => out.flush(),
        }
    }
}

/// A backup that is being written, under a name that is not yet its own.
pub struct Writer {
    path: PathBuf,
    tar: Builder<zstd::Encoder<'static, Digesting<Envelope>>>,
    files: Vec<Member>,
}

/// A backup that was written, and is on the disk.
pub struct Written {
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256.
    pub sha256: String,
}

impl Writer {
    /// Begins a new file, encrypted when there is any recipient.
    ///
    /// # Errors
    /// `Storage`, also when the file exists.
    pub fn create(path: &Path, recipients: &[Recipient]) -> Result<Self> {
        let failed = |error: io::Error| unusable(path, &error);
        let out = Digesting::new(BufWriter::with_capacity(PIECE, private::create_new(path).map_err(failed)?));
        let envelope = if recipients.is_empty() {
            Envelope::Open(out)
        } else {
            let to = recipients.iter().map(|recipient| recipient as &dyn age::Recipient);
            let encryptor = Encryptor::with_recipients(to).map_err(Error::internal)?;
            Envelope::Sealed(Box::new(encryptor.wrap_output(out).map_err(failed)?))
        };
        let mut encoder = zstd::Encoder::new(Digesting::new(envelope), LEVEL).map_err(failed)?;
        encoder.include_checksum(true).map_err(failed)?;
        Ok(Self { path: path.to_owned(), tar: Builder::new(encoder), files: Vec::new() })
    }

    /// Adds a file of the disk; its SHA-256.
    ///
    /// # Errors
    /// `Storage`, also when the file becomes shorter meanwhile.
    pub fn add(&mut self, name: &str, from: &Path) -> Result<String> {
        let unreadable = |error: io::Error| Error::Storage(format!("{}: {error}", from.display()));
        let file = File::open(from).map_err(unreadable)?;
        let bytes = file.metadata().map_err(unreadable)?.len();
        self.append(name, bytes, file.take(bytes))
    }

    fn append(&mut self, name: &str, bytes: u64, from: impl Read) -> Result<String> {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_mode(0o600);
        header.set_size(bytes);
        let mut from = Tee { inner: from, context: Context::new(&SHA256), bytes: 0 };
        self.tar.append_data(&mut header, name, &mut from).map_err(|error| unusable(&self.path, &error))?;
        if from.bytes != bytes {
            return Err(Error::Storage(format!("{name} became shorter while it was read")));
        }
        let sha256 = hex(from.context.finish().as_ref());
        self.files.push(Member { name: name.to_owned(), bytes, sha256: sha256.clone() });
        Ok(sha256)
    }

    /// Ends the file with its manifest, whose `files` are those that were added, and its digest.
    ///
    /// # Errors
    /// `Storage`.
    pub fn finish(mut self, manifest: Manifest) -> Result<(Manifest, Written)> {
        let manifest = Manifest { files: std::mem::take(&mut self.files), ..manifest };
        let text = serde_json::to_vec_pretty(&manifest).map_err(Error::internal)?;
        self.append(MANIFEST, text.len() as u64, text.as_slice())?;
        let path = self.path;
        let ended = || -> io::Result<Written> {
            let mut sealed = self.tar.into_inner()?.finish()?;
            let digest = sealed.context.clone().finish();
            sealed.write_all(&FRAME)?;
            sealed.write_all(digest.as_ref())?;
            let out = match sealed.inner {
                Envelope::Open(out) => out,
                Envelope::Sealed(out) => out.finish()?,
            };
            let file = out.inner.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.sync_all()?;
            Ok(Written { bytes: out.bytes, sha256: hex(out.context.finish().as_ref()) })
        };
        ended().map(|written| (manifest, written)).map_err(|error| unusable(&path, &error))
    }
}

/// Digests whatever is read through it.
struct Tee<R> {
    inner: R,
    context: Context,
    bytes: u64,
}

impl<R: Read> Read for Tee<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        self.context.update(into.get(..count).unwrap_or_default());
        self.bytes += count as u64;
        Ok(count)
    }
}

/// Reads all but the frame at the end, which it keeps back, and digests what it gives.
struct Trailing<R> {
    inner: R,
    context: Context,
    /// What was read and not yet given; its last bytes may be the frame.
    held: Vec<u8>,
    given: usize,
    ended: bool,
}

impl<R: Read> Trailing<R> {
    fn new(inner: R) -> Self {
        Self { inner, context: Context::new(&SHA256), held: Vec::new(), given: 0, ended: false }
    }

    /// Whether the frame is at the end, and is right; everything was read.
    fn is_whole(&self) -> bool {
        let rest = self.held.get(self.given..).unwrap_or_default();
        self.ended
            && rest.len() == TRAILER
            && rest.strip_prefix(&FRAME).is_some_and(|said| said == self.context.clone().finish().as_ref())
    }
}

impl<R: Read> Read for Trailing<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while !self.ended && self.held.len() - self.given <= TRAILER {
            self.held.drain(..self.given);
            self.given = 0;
            let before = self.held.len();
            self.held.resize(before + PIECE, 0);
            let read = self.inner.read(self.held.get_mut(before..).unwrap_or_default());
            self.held.truncate(before + read.as_ref().copied().unwrap_or(0));
            self.ended = read? == 0;
        }
        let ready = (self.held.len() - self.given).saturating_sub(TRAILER);
        let count = ready.min(into.len());
        let piece = self.held.get(self.given..self.given + count).unwrap_or_default();
        into.get_mut(..count).unwrap_or_default().copy_from_slice(piece);
        self.context.update(piece);
        self.given += count;
        Ok(count)
    }
}

/// What a file is, by its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A backup as we make it.
    Archive,
    /// The same, encrypted.
    Encrypted,
    /// A bare SQLite file.
    Database,
}

/// Looks what a file is.
///
/// # Errors
/// `BadRequest` when it is nothing of ours; `Storage` when it cannot be read.
pub fn kind(path: &Path) -> Result<Kind> {
    if !path.is_file() {
        return Err(Error::BadRequest(format!("{} is not a file", path.display())));
    }
    let mut head = Vec::new();
    let unreadable = |error: io::Error| Error::Storage(format!("{}: {error}", path.display()));
    File::open(path).map_err(unreadable)?.take(AGE.len() as u64).read_to_end(&mut head).map_err(unreadable)?;
    [(ZSTANDARD, Kind::Archive), (AGE, Kind::Encrypted), (SQLITE, Kind::Database)]
        .into_iter()
        .find(|(mark, _)| head.starts_with(mark))
        .map(|(_, kind)| kind)
        .ok_or_else(|| Error::BadRequest("it is damaged, or not a Codex database or backup".to_owned()))
}

/// Reads a backup from the beginning to the end. `place` says where each file goes; one without a place is digested alone.
/// What was unpacked counts only when this succeeds.
///
/// # Errors
/// `BadRequest` when it is not ours, is newer, or none of the identities opens it; `Damaged` when it is not as it was
/// written; `Storage`; those of `place`.
pub fn read(path: &Path, identities: &[Identity], place: &mut dyn FnMut(&str) -> Result<Option<PathBuf>>) -> Result<Manifest> {
    let unreadable = |error: io::Error| Error::Storage(format!("{}: {error}", path.display()));
    let file = BufReader::with_capacity(PIECE, File::open(path).map_err(unreadable)?);
    match kind(path)? {
        Kind::Encrypted if identities.is_empty() => Err(Error::BadRequest(
            "it is encrypted: name the file with the age identity that opens it (--identity FILE)".to_owned(),
        )),
        Kind::Encrypted => {
            let keys = identities.iter().map(|identity| identity as &dyn age::Identity);
            let opened = Decryptor::new_buffered(file).and_then(|sealed| sealed.decrypt(keys)).map_err(|error| match error {
                age::DecryptError::NoMatchingKeys => {
                    Error::BadRequest("it is encrypted to another identity than the one that was named".to_owned())
                }
                other => Error::Damaged(format!("it cannot be decrypted: {other}")),
            })?;
            unpack(opened, place)
        }
        Kind::Archive => unpack(file, place),
        Kind::Database => Err(Error::BadRequest("it is a bare SQLite file".to_owned())),
    }
}

fn unpack(from: impl Read, place: &mut dyn FnMut(&str) -> Result<Option<PathBuf>>) -> Result<Manifest> {
    let decoder = zstd::Decoder::new(Trailing::new(from)).map_err(|error| broken(&error))?;
    let mut archive = tar::Archive::new(decoder);
    let (mut files, mut manifest) = (Vec::new(), None);
    for entry in archive.entries().map_err(|error| broken(&error))? {
        let mut entry = entry.map_err(|error| broken(&error))?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if entry.header().entry_type() != EntryType::Regular || !manifest::is_ours(&name) || manifest.is_some() {
            return Err(Error::BadRequest("it is an archive, but not a backup of Codex".to_owned()));
        }
        if name == MANIFEST {
            let mut text = Vec::new();
            entry.by_ref().take(LONGEST_MANIFEST).read_to_end(&mut text).map_err(|error| broken(&error))?;
            manifest = Some(text);
            continue;
        }
        let to = place(&name)?;
        files.push(take(&mut entry, name, to.as_deref())?);
    }
    // To the very end, so that every check of the compression is made.
    let mut decoder = archive.into_inner();
    io::copy(&mut decoder, &mut io::sink()).map_err(|error| broken(&error))?;
    if !decoder.finish().into_inner().is_whole() {
        return Err(Error::Damaged("it is cut short, or not as it was written".to_owned()));
    }
    let text = manifest.ok_or_else(|| Error::BadRequest("it is an archive, but not a backup of Codex".to_owned()))?;
    let manifest = Manifest::parse(&text)?;
    if manifest.files != files {
        return Err(Error::Damaged("its files are not what its manifest says".to_owned()));
    }
    Ok(manifest)
}

/// One file: unpacked, when it has a place, and digested.
fn take(entry: &mut impl Read, name: String, to: Option<&Path>) -> Result<Member> {
    let failed = |error: &io::Error| unusable(to.unwrap_or(Path::new(&name)), error);
    let mut out = to.map(private::create_new).transpose().map_err(|error| failed(&error))?;
    let (mut context, mut bytes, mut piece) = (Context::new(&SHA256), 0, vec![0; PIECE]);
    loop {
        let count = entry.read(&mut piece).map_err(|error| broken(&error))?;
        let piece = piece.get(..count).unwrap_or_default();
        if piece.is_empty() {
            break;
        }
        context.update(piece);
        bytes += count as u64;
        if let Some(out) = &mut out {
            out.write_all(piece).map_err(|error| failed(&error))?;
        }
    }
    if let Some(out) = out {
        out.sync_all().map_err(|error| failed(&error))?;
    }
    let sha256 = hex(context.finish().as_ref());
    Ok(Member { name, bytes, sha256 })
}

/// The SHA-256 of a file.
///
/// # Errors
/// `Storage`.
pub fn digest(path: &Path) -> Result<String> {
    let unreadable = |error: io::Error| Error::Storage(format!("{}: {error}", path.display()));
    let mut file = Tee { inner: File::open(path).map_err(unreadable)?, context: Context::new(&SHA256), bytes: 0 };
    let mut piece = vec![0; PIECE];
    while file.read(&mut piece).map_err(unreadable)? > 0 {}
    Ok(hex(file.context.finish().as_ref()))
}

fn broken(error: &io::Error) -> Error {
    Error::Damaged(format!("it cannot be read: {error}"))
}
