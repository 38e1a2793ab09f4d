//! decant as a library: configuration, planning, the registry and running a pipeline
