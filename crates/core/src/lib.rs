//! The vocabulary, the traits and the pure logic of decant.
//!
//! Everything here can be read, tested and reused without a network, a file
//! system or an async runtime. The traits ("doors") that the other crates
//! implement are [`Trigger`], [`Store`], [`Content`], [`Archive`],
//! [`Format`], [`Destination`], [`Load`], [`Writer`] and [`Ledger`]; their contracts are
//! written on them.

pub mod archive;
pub mod checksum;
pub mod conform;
pub mod content;
pub mod decide;
pub mod destination;
pub mod error;
pub mod evidence;
pub mod file;
pub mod format;
pub mod habits;
pub mod layout;
pub mod ledger;
pub mod list;
pub mod names;
pub mod reject;
pub mod row_filter;
mod rules_digest;
pub mod schema;
pub mod secret;
pub mod selection;
pub mod stream;
pub mod table_template;
pub mod trigger;
pub mod value_format;
pub mod widen;

pub use archive::{Archive, Directory, Member};
pub use content::{ByteStream, Content, Store};
pub use destination::{Begun, Capabilities, Destination, Load, LoadPlan, Outcome, Part, Writer};
pub use error::{Error, ErrorKind, Position, Result};
pub use file::{FileId, FileVersion};
pub use format::{Format, Input, Receiver};
pub use ledger::{Ledger, LedgerEntry, Status};
pub use reject::Reject;
pub use schema::{Column, ColumnType, TableName, TableSchema};
pub use stream::Stream;
pub use trigger::{Arrival, Receipt, Trigger};
