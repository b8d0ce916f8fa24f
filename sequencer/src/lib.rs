//! cairn-sequencer
