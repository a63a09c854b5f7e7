//! Signs messages as Standard Webhooks has it, so that receivers find a library that checks them.

use aws_lc_rs::{hmac, rand};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{
    config::Secret,
    error::{Error, Result},
};

/// What a secret begins with; the key in base64 follows.
const PREFIX: &str = "whsec_";

/// A fresh secret.
pub fn secret() -> Result<Secret> {
    let mut key = [0_u8; 32];
    rand::fill(&mut key).map_err(Error::internal)?;
    Ok(Secret::new(format!("{PREFIX}{}", STANDARD.encode(key))))
}

/// The headers of a message, signed with each of these secrets.
#[must_use]
pub fn headers(id: &str, seconds: i64, body: &str, secrets: &[Secret]) -> [(&'static str, String); 3] {
    let signed = secrets.iter().filter_map(|secret| {
        let key = STANDARD.decode(secret.expose().strip_prefix(PREFIX)?).ok()?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let tag = hmac::sign(&key, format!("{id}.{seconds}.{body}").as_bytes());
        Some(format!("v1,{}", STANDARD.encode(tag)))
    });
    let signature = signed.collect::<Vec<_>>().join(" ");
    [("webhook-id", id.to_owned()), ("webhook-timestamp", seconds.to_string()), ("webhook-signature", signature)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification_is_signed_alike() {
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let body = r#"{"test": 2432232314}"#;
        let [_, _, (_, signature)] = headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body, &[secret]);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
