//! Whole stores: every table filled, brought up to date from every released schema, copied from one
//! database to another, and saved.

mod backup;
mod copy;
mod migrations;
mod refused;
mod rows;
