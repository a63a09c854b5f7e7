//! The text of an answer: short ones as they are, long ones in packed pieces that are unpacked one by one
//! while they are sent. So a list of any length is made in one snapshot of the database, no reader waits for
//! a slow client, and what a client has not read yet costs a fraction of its size.

use super::budget::{Budget, Share};
use crate::error::{Error, Result};
use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use serde::Serialize;
use std::{
    io::{self, Write},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

/// How many bytes one piece has before it is packed.
const PIECE: usize = 32 * 1024;
/// Up to this size a text is kept as it is: the answers that are asked for most.
const WHOLE: usize = 1024 * 1024;
/// What a text takes while it is unpacked for one client: the piece being sent and the one after it.
const SENDING: usize = 2 * PIECE;
/// How long an answer waits for others to be sent.
const PATIENCE: Duration = Duration::from_secs(2);

/// Somebody who can give up bytes that others need more.
pub trait Spare: Send + Sync {
    /// Gives up at least so many bytes, if possible.
    fn make_room(&self, bytes: usize);
}

/// A finished text; clones share its bytes.
#[derive(Clone, Debug)]
pub struct Text(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Whole(Bytes),
    Packed(Arc<Packed>),
}

#[derive(Debug)]
struct Packed {
    pieces: Vec<Box<[u8]>>,
    length: usize,
    share: Share,
}

/// Bytes with the share of the budget that they take.
struct Held {
    bytes: Vec<u8>,
    _share: Share,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Text {
    /// How many bytes of memory it takes.
    #[must_use]
    pub fn held(&self) -> usize {
        match &self.0 {
            Kind::Whole(bytes) => bytes.len(),
            Kind::Packed(packed) => packed.share.bytes(),
        }
    }

    /// A body that sends it.
    ///
    /// # Errors
    /// `Unavailable` when too much waits to be sent already.
    pub async fn body(&self, budget: &Budget) -> Result<Body> {
        match &self.0 {
            Kind::Whole(bytes) => Ok(Body::from(bytes.clone())),
            Kind::Packed(packed) => {
                let share = budget.wait(SENDING, PATIENCE).await.ok_or_else(no_room)?;
                Ok(Body::new(Unpacking { packed: Arc::clone(packed), next: 0, left: packed.length, _share: share }))
            }
        }
    }
}

/// Why a text could not be written: there was no room for it, as a rule.
pub fn failure(error: impl Into<io::Error>) -> Error {
    let error = error.into();
    let text = error.to_string();
    error.into_inner().and_then(|inner| inner.downcast::<Error>().ok()).map_or_else(|| Error::internal(text), |known| *known)
}

/// What a caller is told when too many answers wait to be sent.
#[must_use]
pub fn no_room() -> Error {
    Error::Unavailable("too many large answers are waiting to be read; try again".to_owned())
}

/// Sends the pieces one after another.
struct Unpacking {
    packed: Arc<Packed>,
    next: usize,
    left: usize,
    _share: Share,
}

impl HttpBody for Unpacking {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>>>> {
        let Some(piece) = self.packed.pieces.get(self.next) else { return Poll::Ready(None) };
        let piece = lz4_flex::block::decompress_size_prepended(piece).map_err(Error::internal);
        self.next += 1;
        Poll::Ready(Some(piece.map(|piece| {
            self.left -= piece.len().min(self.left);
            Frame::data(piece.into())
        })))
    }

    fn is_end_stream(&self) -> bool {
        self.next >= self.packed.pieces.len()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left as u64)
    }
}

/// Where a text is written to, front to back.
pub struct Writer {
    buffer: Vec<u8>,
    pieces: Vec<Box<[u8]>>,
    length: usize,
    share: Share,
    most: usize,
    spare: Arc<dyn Spare>,
}

impl Writer {
    /// For a text that counts against this budget; when there is no room, somebody else's spare bytes go.
    #[must_use]
    pub fn new(budget: &Budget, spare: Arc<dyn Spare>) -> Self {
        let (share, most) = (budget.share(), budget.limit() / 4 * 3);
        Self { buffer: Vec::new(), pieces: Vec::new(), length: 0, share, most, spare }
    }

    /// The finished text, with this in front of what was written.
    ///
    /// # Errors
    /// `Unavailable` when too much is held already.
    pub fn finish(mut self, front: &[u8]) -> Result<Text> {
        if self.pieces.is_empty() {
            self.buffer.splice(..0, front.iter().copied());
            self.buffer.shrink_to_fit();
            self.hold(self.buffer.len())?;
            return Ok(Text(Kind::Whole(Bytes::from_owner(Held { bytes: self.buffer, _share: self.share }))));
        }
        let rest = std::mem::take(&mut self.buffer);
        self.pack(&rest)?;
        if !front.is_empty() {
            self.pack(front)?;
            self.pieces.rotate_right(1);
        }
        self.pieces.shrink_to_fit();
        Ok(Text(Kind::Packed(Arc::new(Packed { pieces: self.pieces, length: self.length, share: self.share }))))
    }

    fn hold(&mut self, bytes: usize) -> Result<()> {
        if self.share.bytes() + bytes > self.most {
            return Err(Error::BadRequest(
                "this is too much for one answer; ask for it in pages, with limit and offset".to_owned(),
            ));
        }
        if self.share.grow(bytes) {
            return Ok(());
        }
        self.spare.make_room(bytes);
        if self.share.grow(bytes) { Ok(()) } else { Err(no_room()) }
    }

    fn pack(&mut self, piece: &[u8]) -> Result<()> {
        if piece.is_empty() {
            return Ok(());
        }
        let packed = lz4_flex::block::compress_prepend_size(piece).into_boxed_slice();
        self.hold(packed.len())?;
        self.length += piece.len();
        self.pieces.push(packed);
        Ok(())
    }

    /// Packs what is complete, once the text is too long to be kept as it is.
    fn pack_buffer(&mut self) -> Result<()> {
        if self.pieces.is_empty() && self.buffer.len() <= WHOLE {
            return Ok(());
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        let complete = buffer.len() / PIECE * PIECE;
        buffer.get(..complete).unwrap_or_default().chunks(PIECE).try_for_each(|piece| self.pack(piece))?;
        buffer.drain(..complete);
        if buffer.capacity() > 4 * PIECE {
            buffer.shrink_to(2 * PIECE);
        }
        self.buffer = buffer;
        Ok(())
    }
}

impl Write for Writer {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(text);
        if self.buffer.len() > if self.pieces.is_empty() { WHOLE } else { PIECE } {
            self.pack_buffer().map_err(io::Error::other)?;
        }
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A JSON array that is written element by element.
pub struct Array<'a> {
    to: &'a mut Writer,
    count: i64,
}

impl<'a> Array<'a> {
    /// Begins one.
    ///
    /// # Errors
    /// `Unavailable` when too much is held already.
    pub fn begin(to: &'a mut Writer) -> Result<Self> {
        to.write_all(b"[").map_err(failure)?;
        Ok(Self { to, count: 0 })
    }

    /// Where the next element is to be written.
    ///
    /// # Errors
    /// As [`Array::begin`].
    pub fn element(&mut self) -> Result<&mut Writer> {
        if self.count > 0 {
            self.to.write_all(b",").map_err(failure)?;
        }
        self.count += 1;
        Ok(self.to)
    }

    /// One more element.
    ///
    /// # Errors
    /// As [`Array::begin`].
    pub fn push<T: Serialize>(&mut self, element: &T) -> Result<()> {
        serde_json::to_writer(self.element()?, element).map_err(failure)
    }

    /// Ends it, and says how many elements it has.
    ///
    /// # Errors
    /// As [`Array::begin`].
    pub fn end(self) -> Result<i64> {
        self.to.write_all(b"]").map_err(failure)?;
        Ok(self.count)
    }
}

/// A body that holds a share of the budget until it is sent.
pub struct Charged {
    body: Body,
    _share: Share,
}

impl Charged {
    /// The body with its share.
    #[must_use]
    pub fn new(body: Body, share: Share) -> Self {
        Self { body, _share: share }
    }
}

impl HttpBody for Charged {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Nobody has anything to spare.
impl Spare for () {
    fn make_room(&self, _: usize) {}
}

/// Marks a response whose body counts against the budget already, or takes no memory of its own.
#[derive(Clone, Copy, Debug)]
pub struct Accounted;

/// A body of more than this counts against the budget of answers that wait to be sent.
const SMALL: u64 = 64 * 1024;

/// The response with the share of the budget that its body takes until it is sent.
///
/// # Errors
/// `Unavailable` when too much waits to be sent already.
pub async fn account(budget: &Budget, spare: &dyn Spare, response: axum::response::Response) -> Result<axum::response::Response> {
    let size = response.body().size_hint().exact().filter(|size| *size > SMALL);
    let (Some(size), None) = (size, response.extensions().get::<Accounted>()) else { return Ok(response) };
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let mut share = budget.take(size);
    if share.is_none() {
        spare.make_room(size);
        share = budget.wait(size, PATIENCE).await;
    }
    let share = share.ok_or_else(no_room)?;
    Ok(response.map(|body| Body::new(Charged::new(body, share))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;

    async fn read(text: &Text, budget: &Budget) -> Vec<u8> {
        let body = text.body(budget).await.unwrap();
        let told = body.size_hint().exact().unwrap();
        let bytes = body.collect().await.unwrap().to_bytes().to_vec();
        assert_eq!(told, bytes.len() as u64);
        bytes
    }

    #[tokio::test]
    async fn a_text_of_any_length_comes_back_as_it_was_written_and_is_paid_for() {
        let budget = Budget::new(8 * 1024 * 1024);
        for lines in [0, 1, 1_000, 20_000, 200_000] {
            let mut writer = Writer::new(&budget, Arc::new(()));
            let mut expected = b"[".to_vec();
            for line in 0..lines {
                let line = format!("{{\"line\": {line}, \"text\": \"the same as ever\"}}\n");
                writer.write_all(line.as_bytes()).unwrap();
                expected.extend_from_slice(line.as_bytes());
            }
            let text = writer.finish(b"[").unwrap();
            assert_eq!(read(&text, &budget).await, expected);
            assert!(text.held() <= expected.len() && (expected.len() <= WHOLE || text.held() < expected.len() / 3));
            let copies = vec![text.clone(); 100];
            assert!(budget.take(budget.limit() - text.held()).is_some(), "copies share their bytes");
            drop((text, copies));
            assert!(budget.take(budget.limit()).is_some());
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let budget = Budget::new(1024 * 1024);
        let others = budget.take(1000 * 1024).unwrap();
        let mut writer = Writer::new(&budget, Arc::new(()));
        writer.write_all(&vec![b'x'; 64 * 1024]).unwrap();
        assert!(matches!(writer.finish(b""), Err(Error::Unavailable(_))));
        drop(others);
        let mut writer = Writer::new(&budget, Arc::new(()));
        let mut noise = 1_u32;
        let failed = (0..4_000_000).find_map(|_| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            writer.write_all(&noise.to_le_bytes()).err()
        });
        assert!(matches!(failure(failed.unwrap()), Error::BadRequest(_)));
    }
}
