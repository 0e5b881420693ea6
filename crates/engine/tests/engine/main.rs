//! The engine against the cloud in memory, in paused time.

mod crash;
mod deposed;
mod fault;
mod imports;
mod late;
mod life;
mod moves;
mod random;
mod world;
