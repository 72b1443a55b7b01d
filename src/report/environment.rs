//! Where and how a run was made, so that its figures can be judged later: the machine, the binary,
//! the command and the input. No secrets are in it: passwords in the command are masked.

use std::fs;

use serde::Serialize;
use serde_json::Value;

/// What surrounded a run. `None`: this system does not tell.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Environment {
    /// Model of the CPU.
    pub cpu_model: Option<String>,
    /// Cores that the process may use.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub cores: Option<usize>,
    /// Memory of the machine, in MiB.
    pub memory_mib: Option<f64>,
    /// Kernel with its version, and the architecture.
    pub kernel: Option<String>,
    /// Git commit that it was built from, with -dirty where files had been changed; null when built without
    /// a repository.
    pub commit: Option<&'static str>,
    /// Build profile: figures of debug say little.
    #[cfg_attr(test, schemars(extend("enum" = [Some("release"), Some("debug"), None::<&str>])))]
    pub profile: Option<&'static str>,
    /// Compiler that it was built with.
    pub rustc: Option<&'static str>,
    /// Version of librdkafka.
    pub librdkafka: String,
    /// Command line, one argument per element; the program without its folder.
    pub command: Vec<String>,
    /// CRC-32C of the whole input, in hex, files in their order, unpacked; null when the run was stopped or
    /// a file shortened before it was known.
    #[cfg_attr(test, schemars(regex(pattern = "^crc32c:[0-9a-f]{8}$")))]
    pub input_hash: Option<String>,
}

impl Environment {
    /// Of this process.
    pub fn of_process(librdkafka: String) -> Self {
        Self {
            cpu_model: field("/proc/cpuinfo", "model name"),
            cores: std::thread::available_parallelism().ok().map(usize::from),
            memory_mib: field("/proc/meminfo", "MemTotal")
                .and_then(|memory| Some(memory.strip_suffix(" kB")?.parse::<f64>().ok()? / 1_024.0)),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")
                .ok()
                .map(|release| format!("Linux {} {}", release.trim(), std::env::consts::ARCH)),
            commit: option_env!("TWEETBLAST_COMMIT"),
            profile: option_env!("TWEETBLAST_PROFILE"),
            rustc: option_env!("TWEETBLAST_RUSTC"),
            librdkafka,
            command: command(std::env::args_os().map(|argument| argument.to_string_lossy().into_owned())),
            input_hash: None,
        }
    }
}

/// The value of the first `name: value` in a file.
fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let mut fields = text.lines().filter_map(|line| line.split_once(':'));
    Some(fields.find(|(key, _)| key.trim() == name)?.1.trim().to_owned())
}

const MASK: &str = "***";

/// Words in the names of values that others should not read.
const SECRETS: [&str; 4] = ["password", "passphrase", "secret", "token"];

/// A command line that others may read: the program without its folder, and no secrets.
fn command(arguments: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut arguments = arguments.into_iter();
    let program = arguments.next().unwrap_or_default();
    let mut command = vec![program.rsplit('/').next().unwrap_or_default().to_owned()];
    let mut masks_next = false;
    for argument in arguments {
        let is_flag = argument.starts_with("--");
        let masked = if masks_next && !is_flag { MASK.to_owned() } else { without_secrets(&argument) };
        masks_next = is_flag && !argument.contains('=') && is_secret(&argument);
        command.push(masked);
    }
    command
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRETS.iter().any(|word| name.contains(word))
}

/// A flag, a property `key=value` or an address, with secrets in it masked: too much rather than
/// too little.
pub fn without_secrets(argument: &str) -> String {
    let argument = without_passwords(argument);
    let Some((name, value)) = argument.split_once('=') else { return argument };
    let masks = if name.starts_with("--") {
        is_secret(name)
    } else {
        // A value may contain properties, as with Java clients.
        is_secret(name) || is_secret(value) || name.to_ascii_lowercase().contains("key")
    };
    match masks {
        true => format!("{name}={MASK}"),
        false if name.starts_with('-') => format!("{name}={}", without_secrets(value)),
        false => argument,
    }
}

/// Masks the texts in a spec or similar that are secret by their names, or contain secret
/// properties.
pub fn mask_secrets(json: &mut Value) {
    let holds_secret = |text: &str| text.contains('=') && is_secret(text);
    match json {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if is_secret(name) => *text = MASK.to_owned(),
                    other => mask_secrets(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(mask_secrets),
        Value::String(text) if holds_secret(text) => *text = MASK.to_owned(),
        Value::String(text) => *text = without_passwords(text),
        _ => {}
    }
}

/// Masks the password in each `scheme://user:password@host` of a text.
fn without_passwords(text: &str) -> String {
    let mut parts = text.split("://");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str("://");
        // The last one: a password may contain what should have been escaped.
        match part.rsplit_once('@').map(|(user, host)| (user.split_once(':'), host)) {
            Some((Some((user, _)), host)) => out.extend([user, ":", MASK, "@", host]),
            _ => out.push_str(part),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_however_they_are_given() {
        let shown = |words: &str| command(words.split(' ').map(str::to_owned)).join(" ");
        for (given, expected) in [
            ("/usr/bin/tweetblast a.json --rate 5/s", "tweetblast a.json --rate 5/s"),
            ("t -X sasl.password=geheim=1 -X linger.ms=5", "t -X sasl.password=*** -X linger.ms=5"),
            ("t -Xsasl.password=geheim", "t -Xsasl.password=***"),
            ("t -X=SSL.Key.PEM=geheim", "t -X=SSL.Key.PEM=***"),
            ("t -X client.secret=geheim", "t -X client.secret=***"),
            ("t --key user --key=id", "t --key user --key=id"),
            ("t --druid-set /a/jaas=x,password='geheim'", "t --druid-set /a/jaas=***"),
            ("t --druid-set=/a/password=geheim", "t --druid-set=/a/password=***"),
            ("t --druid-password geheim --hold", "t --druid-password *** --hold"),
            ("t --druid-password=geheim", "t --druid-password=***"),
            ("t --mqtt mqtt://me:geheim@host:1883", "t --mqtt mqtt://me:***@host:1883"),
            ("t --mqtt=mqtts://me:geh@im/:@host", "t --mqtt=mqtts://me:***@host"),
            ("t a://u:geheim@h,b://v:geheim@i", "t a://u:***@h,b://v:***@i"),
            ("t --druid http://host:8888", "t --druid http://host:8888"),
            ("t --map time=meta.posted,text=body", "t --map time=meta.posted,text=body"),
        ] {
            assert_eq!(shown(given), expected, "{given}");
        }
    }

    #[test]
    fn secrets_in_a_spec_are_masked_and_its_fields_are_not() {
        let mut spec = serde_json::json!({
            "dimensions": [{"name": "token_count", "type": "string"}, "key"],
            "consumerProperties": {
                "ssl.truststore.password": "geheim",
                "ssl.keystore.password": {"type": "default", "password": "geheim"},
                "ssl.key.password": {"type": "environment", "variable": "KEY"},
                "sasl.jaas.config": "Login required username=\"u\" password=\"geheim\";",
                "registry": ["http://me:geheim@host:80"],
                "max.poll.records": 100,
            },
        });
        mask_secrets(&mut spec);
        assert!(!spec.to_string().contains("geheim"), "{spec}");
        assert_eq!(spec["dimensions"], serde_json::json!([{"name": "token_count", "type": "string"}, "key"]));
        let properties = &spec["consumerProperties"];
        assert_eq!(properties["ssl.key.password"]["variable"], "KEY");
        assert_eq!(properties["registry"][0], "http://me:***@host:80");
        assert_eq!(properties["max.poll.records"], 100);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn linux_tells_the_machine() {
        let here = Environment::of_process("2.0".into());
        assert!(here.cores.unwrap() > 0 && here.memory_mib.unwrap() > 100.0, "{here:?}");
        assert!(here.kernel.unwrap().starts_with("Linux "));
        assert!(here.rustc.unwrap().starts_with("rustc "));
        assert!(!here.command.is_empty());
    }
}
