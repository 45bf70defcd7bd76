//! Values as both databases know them: what statements are given, and what rows hold.

/// A value of a column or a parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::store) enum DbValue<'a> {
    Null,
    /// A whole number, or a truth as 0 or 1.
    Int(i64),
    Real(f64),
    /// Words, or JSON.
    Text(&'a str),
    Bytes(&'a [u8]),
}

/// Becomes a parameter.
pub(in crate::store) trait ToDb {
    fn to_db(&self) -> DbValue<'_>;
}

/// Is read from a column.
pub(in crate::store) trait FromDb: Sized {
    /// Returns `None` if the column holds something else.
    fn from_db(value: DbValue<'_>) -> Option<Self>;
}

macro_rules! whole_numbers {
    ($($type:ty),+) => {$(
        impl ToDb for $type {
            fn to_db(&self) -> DbValue<'_> {
                DbValue::Int(i64::from(*self))
            }
        }
        impl FromDb for $type {
            fn from_db(value: DbValue<'_>) -> Option<Self> {
                match value {
                    DbValue::Int(value) => value.try_into().ok(),
                    _ => None,
                }
            }
        }
    )+};
}
whole_numbers!(i64, i32, u32, u16);

impl ToDb for bool {
    fn to_db(&self) -> DbValue<'_> {
        DbValue::Int(i64::from(*self))
    }
}

impl FromDb for bool {
    fn from_db(value: DbValue<'_>) -> Option<Self> {
        i64::from_db(value).map(|value| value != 0)
    }
}

impl FromDb for u64 {
    fn from_db(value: DbValue<'_>) -> Option<Self> {
        i64::from_db(value)?.try_into().ok()
    }
}

impl FromDb for usize {
    fn from_db(value: DbValue<'_>) -> Option<Self> {
        i64::from_db(value)?.try_into().ok()
    }
}

impl ToDb for f64 {
    fn to_db(&self) -> DbValue<'_> {
        DbValue::Real(*self)
    }
}

impl FromDb for f64 {
    #[expect(clippy::cast_precision_loss, reason = "SQLite keeps a whole number as one")]
    fn from_db(value: DbValue<'_>) -> Option<Self> {
        match value {
            DbValue::Real(value) => Some(value),
            DbValue::Int(value) => Some(value as f64),
            _ => None,
        }
    }
}

impl ToDb for str {
    fn to_db(&self) -> DbValue<'_> {
        DbValue::Text(self)
    }
}

impl ToDb for String {
    fn to_db(&self) -> DbValue<'_> {
        DbValue::Text(self)
    }
}

impl FromDb for String {
    fn from_db(value: DbValue<'_>) -> Option<Self> {
        match value {
            DbValue::Text(words) => Some(words.to_owned()),
            _ => None,
        }
    }
}

impl ToDb for Vec<u8> {
    fn to_db(&self) -> DbValue<'_> {
        DbValue::Bytes(self)
    }
}

impl FromDb for Vec<u8> {
    fn from_db(value: DbValue<'_>) -> Option<Self> {
        match value {
            DbValue::Bytes(bytes) => Some(bytes.to_vec()),
            _ => None,
        }
    }
}

impl<const N: usize> ToDb for [u8; N] {
    fn to_db(&self) -> DbValue<'_> {
        DbValue::Bytes(self)
    }
}

impl<const N: usize> FromDb for [u8; N] {
    fn from_db(value: DbValue<'_>) -> Option<Self> {
        match value {
            DbValue::Bytes(bytes) => bytes.try_into().ok(),
            _ => None,
        }
    }
}

impl<T: ToDb + ?Sized> ToDb for &T {
    fn to_db(&self) -> DbValue<'_> {
        (**self).to_db()
    }
}

impl<T: ToDb> ToDb for Option<T> {
    fn to_db(&self) -> DbValue<'_> {
        self.as_ref().map_or(DbValue::Null, ToDb::to_db)
    }
}

impl<T: FromDb> FromDb for Option<T> {
    fn from_db(value: DbValue<'_>) -> Option<Self> {
        match value {
            DbValue::Null => Some(None),
            value => T::from_db(value).map(Some),
        }
    }
}

/// Is given to a statement: one value for each of `?1`, `?2` and on.
pub(in crate::store) trait Params {
    /// Calls `run` with the values.
    fn bind<R>(self, run: impl FnOnce(&[DbValue<'_>]) -> R) -> R;
}

impl Params for &[&dyn ToDb] {
    fn bind<R>(self, run: impl FnOnce(&[DbValue<'_>]) -> R) -> R {
        let values: Vec<DbValue<'_>> = self.iter().map(|value| value.to_db()).collect();
        run(&values)
    }
}

impl<T: ToDb, const N: usize> Params for [T; N] {
    fn bind<R>(self, run: impl FnOnce(&[DbValue<'_>]) -> R) -> R {
        run(&self.each_ref().map(ToDb::to_db))
    }
}

/// Lists parameters of different types.
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        &[$(&$value as &dyn $crate::store::sql::ToDb),*] as &[&dyn $crate::store::sql::ToDb]
    };
}
pub(in crate::store) use params;
