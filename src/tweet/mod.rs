//! Tweet shapes.
