//! A secret is never shown, whatever goes wrong.

use starwarden::config::secret::blotted;

#[test]
fn a_configurations_secrets_are_blotted_where_its_faults_are_shown() {
    for (text, hidden, kept) in [
        ("client_secret = \"s3cret\"", "s3cret", "client_secret ="),
        ("client_secret = \"env:NAME\"", "*", "\"env:NAME\""),
        ("auth = { email = \"a@b\", api_token = \"s3cret\" }", "s3cret", "email = \"a@b\""),
        ("webhook_secrets = [\"env:A\", \"file:b\"]", "*", "[\"env:A\", \"file:b\"]"),
        ("webhook_secrets = [\"env:A\", \"s3cret\"]", "s3cret", "webhook_secrets ="),
        ("webhook_secrets = [\n  \"one\",\n  \"s3cret\" ]\nmode = \"live\"", "s3cret", "\nmode = \"live\""),
        ("oauth_token = 's3cret unclosed\nmode = 1", "s3cret", "\nmode = 1"),
        ("url = \"postgres://star:s3cret@db/star\"", "s3cret", "url = \"postgres"),
        ("base_url = \"https://example.zendesk.com\"", "*", "https://example.zendesk.com"),
    ] {
        let blotted = blotted(text);
        assert_eq!(blotted.len(), text.len(), "places stay: {blotted}");
        assert!(!blotted.contains(hidden) && blotted.contains(kept), "{blotted}");
    }
}
