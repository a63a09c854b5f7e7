//! A connection's bytes, encrypted or not, for those who serve HTTP on it.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::server::TlsStream;

/// How much of an encrypted connection is looked at in one go.
const PIECE: usize = 1024;

/// A connection.
pub enum Wire {
    /// As it comes.
    Plain(TcpStream),
    /// Through TLS.
    Encrypted(Box<Encrypted>),
}

/// A connection through TLS, with what was read of it to see whether there is something to read.
pub struct Encrypted {
    stream: TlsStream<TcpStream>,
    first: Option<u8>,
    has_ended: bool,
}

impl Wire {
    /// A connection whose handshake is done.
    #[must_use]
    pub fn encrypted(stream: TlsStream<TcpStream>) -> Self {
        Self::Encrypted(Box::new(Encrypted { stream, first: None, has_ended: false }))
    }

    /// What carries it.
    #[must_use]
    pub fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(socket) => socket,
            Self::Encrypted(encrypted) => encrypted.stream.get_ref().0,
        }
    }

    /// Whether nobody between can read it.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        matches!(self, Self::Encrypted(_))
    }

    /// Waits until there is something to read, or its end; false when it is broken. Nothing is lost when nobody waits for
    /// it to the end.
    pub async fn readable(&mut self) -> bool {
        match self {
            Self::Plain(socket) => socket.readable().await.is_ok(),
            Self::Encrypted(encrypted) => poll_fn(|cx| encrypted.poll_first(cx)).await.is_ok(),
        }
    }

    /// Reads what is there into the room that `bytes` has; 0 at the end of the connection.
    ///
    /// # Errors
    /// `WouldBlock` when there is nothing, and those of the connection.
    pub fn try_read(&mut self, bytes: &mut Vec<u8>) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.try_read_buf(bytes),
            Self::Encrypted(encrypted) => encrypted.try_read(bytes),
        }
    }
}

impl Encrypted {
    fn poll_first(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.first.is_some() || self.has_ended {
            return Poll::Ready(Ok(()));
        }
        let mut byte = [0];
        let mut room = ReadBuf::new(&mut byte);
        std::task::ready!(Pin::new(&mut self.stream).poll_read(cx, &mut room))?;
        self.first = room.filled().first().copied();
        self.has_ended = self.first.is_none();
        Poll::Ready(Ok(()))
    }

    fn try_read(&mut self, bytes: &mut Vec<u8>) -> io::Result<usize> {
        if self.has_ended {
            return Ok(0);
        }
        let before = bytes.len();
        bytes.extend(self.first.take());
        let mut piece = [0; PIECE];
        let size = (bytes.capacity() - bytes.len()).min(PIECE);
        if size > 0 {
            let mut room = ReadBuf::new(piece.get_mut(..size).unwrap_or_default());
            // Whoever waits for more next says whom to wake.
            match Pin::new(&mut self.stream).poll_read(&mut Context::from_waker(Waker::noop()), &mut room) {
                Poll::Ready(Ok(())) => {
                    self.has_ended = room.filled().is_empty();
                    bytes.extend_from_slice(room.filled());
                }
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => {}
            }
        }
        match bytes.len() - before {
            0 if !self.has_ended => Err(io::ErrorKind::WouldBlock.into()),
            count => Ok(count),
        }
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if buffer.remaining() > 0
            && let Some(byte) = self.first.take()
        {
            buffer.put_slice(&[byte]);
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_read(cx, buffer),
            Self::Encrypted(encrypted) => Pin::new(&mut **encrypted).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_write(cx, bytes),
            Self::Encrypted(encrypted) => Pin::new(&mut encrypted.stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_flush(cx),
            Self::Encrypted(encrypted) => Pin::new(&mut encrypted.stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_shutdown(cx),
            Self::Encrypted(encrypted) => Pin::new(&mut encrypted.stream).poll_shutdown(cx),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(socket) => socket.is_write_vectored(),
            Self::Encrypted(encrypted) => encrypted.stream.is_write_vectored(),
        }
    }

    fn poll_write_vectored(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_write_vectored(cx, bytes),
            Self::Encrypted(encrypted) => Pin::new(&mut encrypted.stream).poll_write_vectored(cx, bytes),
        }
    }
}
