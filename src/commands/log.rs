//! What a running bot tells of itself: JSON lines on standard error, and traces where a collector is named.

use std::time::Duration;

use anyhow::Context;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

/// The variables of the OpenTelemetry specification that name a collector; without either, no traces are made.
const COLLECTOR: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];

/// How long a collector is waited for at a stop, which may take 10 s in all.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Sends what is left of the traces when it is dropped.
pub(super) struct Log(Option<SdkTracerProvider>);

impl Log {
    /// Begins; `RUST_LOG` says how much is told. Before the runtime, for the exporter has a thread of its own.
    ///
    /// # Errors
    /// A collector whose address is none.
    pub(super) fn begin() -> anyhow::Result<Log> {
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| "starwarden=info,warn".into());
        let lines = fmt::layer().json().with_span_list(false).with_writer(std::io::stderr);
        let named = COLLECTOR.iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
        let provider = named.then(provider).transpose()?;
        let traces = provider.as_ref().map(|it| tracing_opentelemetry::layer().with_tracer(it.tracer("starwarden")));
        tracing_subscriber::registry().with(filter).with(lines).with(traces).init();
        std::panic::set_hook(Box::new(|panic| {
            // Where, and not what is said: it may show a customer's words.
            let place = panic.location().map(ToString::to_string);
            tracing::error!(place, "a defect: something was not as the program takes it to be");
        }));
        Ok(Log(provider))
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        if let Some(provider) = &self.0 {
            let _collector_gone = provider.shutdown_with_timeout(LAST_WORDS);
        }
    }
}

fn provider() -> anyhow::Result<SdkTracerProvider> {
    let exporter = SpanExporter::builder().with_http().build().with_context(|| COLLECTOR.join(" or "))?;
    let resource = Resource::builder().with_service_name("starwarden").build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}
