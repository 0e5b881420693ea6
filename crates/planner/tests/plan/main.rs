//! What plans say, and that each converges: carried out on a model of the world, it leaves nothing to plan.

mod changes;
mod moves;
mod world;
