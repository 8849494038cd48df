//! The part of caphistory that reads kernel C and links it: bytes in, rows out. It knows
//! nothing of git or SQL.
#![deny(unsafe_code)]

pub mod audit;
pub mod bodies;
pub mod call_graph;
pub mod chains;
pub mod checks;
pub mod conditionals;
pub mod conditions;
pub mod constant_propagation;
pub mod constants;
pub mod declarations;
pub mod effects;
pub mod facts;
pub mod folders;
pub mod guards;
pub mod headers;
pub mod includes;
pub mod initialisers;
pub mod intern;
pub mod items;
pub mod lexer;
pub mod macro_expansion;
pub mod macros;
pub mod meaning;
pub mod names;
pub mod namings;
pub mod notation;
pub mod numbers;
pub mod places;
pub mod points_to;
pub mod python;
pub mod python_facts;
pub mod reader;
pub mod registrations;
pub mod relays;
pub mod release;
pub mod repairs;
pub mod syscalls;
pub mod tables;
pub mod tree;
pub mod types;
pub mod uids;
pub mod values;
