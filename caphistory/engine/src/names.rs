//! The facts of one release under the names by which C code finds them: the facts of its files go
//! in, and what a name means in a file of a kernel with one ABI comes out.
//!
//! C's rules of linkage, as far as they can be told without building the kernel: a static function
//! is seen in its own file, or in those that include it; a macro or inline of a header, in the
//! files that include the header; another architecture's folder does not exist.

mod definitions;
mod index;
mod keys;
mod program;
mod view;

pub use crate::folders::PathId;
pub use definitions::{DefId, Definition, Fact, NamingAt, StoredAt};
pub(crate) use index::distinct;
pub use index::{Gathering, Index};
pub use keys::{key_of, may_be_function, outside, place_of};
pub use program::Program;
pub use view::{Type, View};
