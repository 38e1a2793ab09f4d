//! Options that every verb takes.

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};
use decant::config::typed::{Limits, Size};
use decant::config::{Document, Environment, Overrides};
use decant::core::Result;

use super::switch;
use crate::logging::LogFormat;
use crate::progress::ProgressMode;

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object, or one a line for lists; nothing else on standard output.
    Json,
}

/// Options that every verb takes.
#[derive(Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// The configuration file
    #[arg(short, long, global = true, value_name = "FILE", env = "DECANT_CONFIG")]
    #[arg(default_value = "decant.yaml")]
    pub(crate) config: PathBuf,
    /// A file of environment variables (KEY=VALUE lines) for the
    /// configuration; variables that are set win
    #[arg(long, global = true, value_name = "FILE", env = "DECANT_ENV_FILE")]
    pub(crate) env_file: Option<PathBuf>,
    /// The profile of the configuration
    #[arg(long, global = true, value_name = "NAME", env = "DECANT_PROFILE")]
    pub(crate) profile: Option<String>,
    /// The S3-compatible service, such as https://minio.example.com:9000
    /// [default: AWS]
    #[arg(long, global = true, value_name = "URL", env = "DECANT_ENDPOINT")]
    #[arg(hide_env_values = true)]
    pub(crate) endpoint: Option<String>,
    /// The region [default: that of the AWS profile]
    #[arg(long, global = true, value_name = "REGION", env = "DECANT_REGION")]
    pub(crate) region: Option<String>,
    /// The profile of the shared AWS files whose credentials are used
    #[arg(long, global = true, value_name = "NAME", env = "DECANT_AWS_PROFILE")]
    pub(crate) aws_profile: Option<String>,
    /// Send no credentials, as public buckets allow
    #[arg(long, global = true, env = "DECANT_ANONYMOUS", value_parser = switch())]
    #[arg(action = ArgAction::SetTrue)]
    pub(crate) anonymous: bool,
    /// Files that are decoded at the same time [default: the machine's cores]
    #[arg(long, global = true, value_name = "N", env = "DECANT_THREADS")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) threads: Option<u32>,
    /// Small files that are fetched at the same time [default: 128]
    #[arg(long, global = true, value_name = "N", env = "DECANT_REQUESTS")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) requests: Option<u32>,
    /// Memory for data under way, such as 1GiB [default: 512MiB]
    #[arg(long, global = true, value_name = "SIZE", env = "DECANT_MEMORY")]
    pub(crate) memory: Option<Size>,
    /// Bytes of a chunk with --atomic chunk [default: 256MiB]
    #[arg(long, global = true, value_name = "SIZE", env = "DECANT_CHUNK_BYTES")]
    pub(crate) chunk_bytes: Option<Size>,
    /// How progress is shown on standard error
    #[arg(long, global = true, value_name = "HOW", env = "DECANT_PROGRESS")]
    #[arg(value_enum, default_value_t, hide_possible_values = false)]
    pub(crate) progress: ProgressMode,
    /// How log lines look on standard error
    #[arg(long, global = true, value_name = "HOW", env = "DECANT_LOG_FORMAT")]
    #[arg(value_enum, default_value_t)]
    pub(crate) log_format: LogFormat,
    /// Log more: -v what is done, -vv details
    #[arg(short, long, global = true, env = "DECANT_VERBOSE", action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Log errors alone, and show no progress
    #[arg(short, long, global = true, env = "DECANT_QUIET", value_parser = switch())]
    #[arg(action = ArgAction::SetTrue)]
    pub(crate) quiet: bool,
    /// How results are printed
    #[arg(long, global = true, value_name = "HOW", env = "DECANT_OUTPUT")]
    #[arg(value_enum, default_value_t)]
    pub(crate) output: OutputFormat,
}

impl GlobalArgs {
    /// What the command line says over the configuration.
    pub(crate) fn overrides(&self) -> Overrides {
        Overrides {
            endpoint: self.endpoint.clone(),
            region: self.region.clone(),
            aws_profile: self.aws_profile.clone(),
            anonymous: self.anonymous,
            limits: Limits {
                threads: self.threads,
                requests: self.requests,
                memory: self.memory,
                chunk_bytes: self.chunk_bytes,
                ..Limits::default()
            },
            ..Overrides::default()
        }
    }

    /// Reads the configuration file.
    ///
    /// # Errors
    ///
    /// As [`Document::open`].
    pub(crate) fn document(&self) -> Result<Document> {
        Document::open(&self.config, self.profile.as_deref(), &self.environment()?)
    }

    fn environment(&self) -> Result<Environment> {
        match &self.env_file {
            Some(path) => Environment::of_process().with_file(path),
            None => Ok(Environment::of_process()),
        }
    }
}
