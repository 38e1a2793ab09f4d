//! The pipeline: from arrivals to commits
