//! Picks some members of a row, each as JSON text, without building a map of the row.

use crate::error::{Error, Result};
use serde::{
    Serialize,
    ser::{self, Error as _, Impossible},
};
use serde_json::Error as JsonError;

/// The members that are wanted, with what the last row that was read has for them.
#[derive(Debug)]
pub struct Columns {
    names: Vec<String>,
    cells: Vec<Vec<u8>>,
    /// Where the next member is looked for first: rows have their members in the same order.
    at: usize,
}

impl Columns {
    /// For members of these names.
    #[must_use]
    pub fn new<T: AsRef<str>>(names: &[T]) -> Self {
        Self { names: names.iter().map(|name| name.as_ref().to_owned()).collect(), cells: vec![Vec::new(); names.len()], at: 0 }
    }

    /// The names that are wanted.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Reads a row, in place of the one before.
    ///
    /// # Errors
    /// When the row is no object.
    pub fn read<T: Serialize>(&mut self, row: &T) -> Result<()> {
        self.cells.iter_mut().for_each(Vec::clear);
        self.at = 0;
        row.serialize(&mut *self).map_err(Error::internal)
    }

    /// Each wanted member's name and JSON text; `null` when the row has none.
    pub fn cells(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.names.iter().zip(&self.cells).map(|(name, cell)| (name.as_str(), if cell.is_empty() { &b"null"[..] } else { cell }))
    }

    fn member<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), JsonError> {
        let (before, after) = self.names.split_at(self.at.min(self.names.len()));
        let found = after.iter().position(|known| known == name).map(|index| index + before.len());
        let Some(index) = found.or_else(|| before.iter().position(|known| known == name)) else { return Ok(()) };
        self.at = index + 1;
        let Some(cell) = self.cells.get_mut(index) else { return Ok(()) };
        cell.clear();
        serde_json::to_writer(cell, value)
    }
}

/// The members of one row that is a map, or a structure with another one inside.
pub struct Members<'a> {
    columns: &'a mut Columns,
    name: String,
}

impl ser::SerializeStruct for Members<'_> {
    type Ok = ();
    type Error = JsonError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), JsonError> {
        self.columns.member(name, value)
    }

    fn end(self) -> Result<(), JsonError> {
        Ok(())
    }
}

impl ser::SerializeMap for Members<'_> {
    type Ok = ();
    type Error = JsonError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, name: &T) -> Result<(), JsonError> {
        let text = serde_json::to_string(name)?;
        self.name = serde_json::from_str(&text)?;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), JsonError> {
        let name = std::mem::take(&mut self.name);
        self.columns.member(&name, value)
    }

    fn end(self) -> Result<(), JsonError> {
        Ok(())
    }
}

fn no_object<T>() -> Result<T, JsonError> {
    Err(JsonError::custom("a list's element is no object"))
}

/// What a row must not be.
macro_rules! refused {
    ($($method:ident($($kind:ty),*) -> $out:ty;)*) => {
        $(fn $method(self, $(_: $kind),*) -> Result<$out, JsonError> { no_object() })*
    };
}

impl<'a> ser::Serializer for &'a mut Columns {
    type Ok = ();
    type Error = JsonError;
    type SerializeSeq = Impossible<(), JsonError>;
    type SerializeTuple = Impossible<(), JsonError>;
    type SerializeTupleStruct = Impossible<(), JsonError>;
    type SerializeTupleVariant = Impossible<(), JsonError>;
    type SerializeMap = Members<'a>;
    type SerializeStruct = Members<'a>;
    type SerializeStructVariant = Impossible<(), JsonError>;

    fn serialize_map(self, _: Option<usize>) -> Result<Members<'a>, JsonError> {
        Ok(Members { columns: self, name: String::new() })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Members<'a>, JsonError> {
        Ok(Members { columns: self, name: String::new() })
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), JsonError> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), JsonError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), JsonError> {
        no_object()
    }

    refused! {
        serialize_bool(bool) -> ();
        serialize_i8(i8) -> ();
        serialize_i16(i16) -> ();
        serialize_i32(i32) -> ();
        serialize_i64(i64) -> ();
        serialize_u8(u8) -> ();
        serialize_u16(u16) -> ();
        serialize_u32(u32) -> ();
        serialize_u64(u64) -> ();
        serialize_f32(f32) -> ();
        serialize_f64(f64) -> ();
        serialize_char(char) -> ();
        serialize_str(&str) -> ();
        serialize_bytes(&[u8]) -> ();
        serialize_none() -> ();
        serialize_unit() -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_unit_variant(&'static str, u32, &'static str) -> ();
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[derive(Serialize)]
    struct Inner {
        id: i64,
        name: Option<String>,
    }

    #[derive(Serialize)]
    struct Outer {
        #[serde(flatten)]
        inner: Inner,
        r#type: &'static str,
        lines: Vec<i64>,
    }

    fn read<T: Serialize>(columns: &mut Columns, row: &T) -> Vec<String> {
        columns.read(row).unwrap();
        columns.cells().map(|(name, cell)| format!("{name}={}", String::from_utf8_lossy(cell))).collect()
    }

    #[test]
    fn members_are_picked_in_the_order_asked_for() {
        let mut columns = Columns::new(&["type", "name", "id", "none"]);
        let row = Outer { inner: Inner { id: 7, name: Some("a \"b\"".to_owned()) }, r#type: "x", lines: vec![1, 2] };
        assert_eq!(read(&mut columns, &row), ["type=\"x\"", "name=\"a \\\"b\\\"\"", "id=7", "none=null"]);
        assert_eq!(
            read(&mut columns, &json!({"id": {"deep": [1]}})),
            ["type=null", "name=null", "id={\"deep\":[1]}", "none=null"]
        );
        assert_eq!(read(&mut Columns::new(&["lines"]), &row), ["lines=[1,2]"]);
        assert!(columns.read(&[1, 2]).is_err() && columns.read(&"text").is_err());
    }
}
