//! What a running bot tells of itself on standard error, as JSON lines or for eyes, and traces where a collector is named.

use std::io::IsTerminal;

use clap::ValueEnum;
use tracing::Level;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

#[cfg(feature = "otlp")]
use traces::Traces;

/// Sends what is left of the traces when it is dropped.
pub(super) struct Log {
    _traces: Traces,
}

/// How lines of the log are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// For eyes: time, level, words
    Text,
    /// A JSON object each
    Json,
}

impl LogFormat {
    /// For eyes on a terminal, for programs elsewhere.
    fn usual() -> LogFormat {
        if std::io::stderr().is_terminal() { LogFormat::Text } else { LogFormat::Json }
    }
}

impl Log {
    /// Begins; `RUST_LOG` says how much is told. Whatever it says, libraries tell no more than at `info`: below that the
    /// database's driver tells what statements are given, which is customers' words and keys.
    ///
    /// It begins before the runtime, for the exporter has a thread of its own.
    ///
    /// # Errors
    /// A collector that cannot be used.
    pub(super) fn begin(lines: Option<LogFormat>) -> anyhow::Result<Log> {
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| "starwarden=info,warn".into());
        let lines = match lines.unwrap_or_else(LogFormat::usual) {
            LogFormat::Json => fmt::layer().json().with_span_list(false).with_writer(std::io::stderr).boxed(),
            LogFormat::Text => {
                let coloured = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
                fmt::layer().with_target(false).with_ansi(coloured).with_writer(std::io::stderr).boxed()
            }
        };
        let traces = Traces::begin()?;
        let ours = filter_fn(|about| about.target().starts_with("starwarden") || *about.level() <= Level::INFO);
        tracing_subscriber::registry().with(traces.layer()).with(filter).with(ours).with(lines).init();
        std::panic::set_hook(Box::new(|panic| {
            // Where, and not what is said: it may show a customer's words.
            let place = panic.location().map(ToString::to_string);
            tracing::error!(place, "a defect: something was not as the program takes it to be");
        }));
        #[cfg(not(feature = "otlp"))]
        if names_a_collector() {
            tracing::warn!(
                "OTEL_EXPORTER_OTLP_ENDPOINT names a collector, and this build sends no traces: build it with --features otlp"
            );
        }
        Ok(Log { _traces: traces })
    }
}

/// Whether the environment names a collector, by the variables of the OpenTelemetry specification.
fn names_a_collector() -> bool {
    ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// A build without traces.
#[cfg(not(feature = "otlp"))]
struct Traces;

#[cfg(not(feature = "otlp"))]
impl Traces {
    fn begin() -> anyhow::Result<Traces> {
        Ok(Traces)
    }

    fn layer(&self) -> Option<tracing_subscriber::layer::Identity> {
        None
    }
}

#[cfg(feature = "otlp")]
mod traces {
    use std::time::Duration;

    use anyhow::Context;
    use opentelemetry::trace::TracerProvider;
    use opentelemetry_otlp::SpanExporter;
    use opentelemetry_sdk::Resource;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tracing_subscriber::Registry;

    /// How long a collector is waited for at a stop, which may take 10 s in all.
    const LAST_WORDS: Duration = Duration::from_secs(1);

    /// Sends spans to the collector, where one is named.
    pub(super) struct Traces(Option<SdkTracerProvider>);

    impl Traces {
        pub(super) fn begin() -> anyhow::Result<Traces> {
            super::names_a_collector().then(provider).transpose().map(Traces)
        }

        pub(super) fn layer(&self) -> Option<impl Layer<Registry> + use<>> {
            self.0.as_ref().map(|it| tracing_opentelemetry::layer().with_tracer(it.tracer("starwarden")))
        }
    }

    impl Drop for Traces {
        fn drop(&mut self) {
            if let Some(provider) = &self.0 {
                let _collector_gone = provider.shutdown_with_timeout(LAST_WORDS);
            }
        }
    }

    fn provider() -> anyhow::Result<SdkTracerProvider> {
        let exporter = SpanExporter::builder()
            .with_http()
            .build()
            .context("the collector named by OTEL_EXPORTER_OTLP_ENDPOINT cannot be used")?;
        let resource = Resource::builder().with_service_name("starwarden").build();
        Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
    }
}
