//! Compiles proto/ into messages, clients, validating servers and the descriptor set. Only the crate that compiles the rules asks for protoc.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use anyhow::Context as _;

const LONGRUNNING: &str = "crate::google::longrunning";

fn main() -> anyhow::Result<()> {
    let root = PathBuf::from("../../proto");
    println!("cargo:rerun-if-changed=../../proto");
    let out = PathBuf::from(std::env::var("OUT_DIR")?);

    let mut files = Vec::new();
    find_protos(&root.join("huiyin"), &mut files)?;
    // By its name among the imports, which is that of the file.
    files.push(PathBuf::from("google/longrunning/operations.proto"));
    let mut compiler = protox::Compiler::new([&root, &root.join("third_party")])?;
    compiler
        .include_source_info(true)
        .include_imports(true)
        .open_files(&files)?;

    // With extensions (access rules, validation rules): the chassis reads them by reflection.
    let described = compiler.encode_file_descriptor_set();
    fs::write(out.join("huiyin.binpb"), &described)?;
    let descriptors = compiler.file_descriptor_set();

    // Messages and clients. Ours and those of others each name the other by its path in the crate, which is not that of the package.
    builder(&out)
        .build_server(false)
        .extern_path(".google.longrunning", LONGRUNNING)
        .compile_fds_with_config(descriptors.clone(), named())?;
    let google = out.join("google");
    fs::create_dir_all(&google)?;
    builder(&google)
        .build_server(false)
        .extern_path(".huiyin", "crate")
        .compile_fds_with_config(descriptors.clone(), named())?;

    // Servers: their codec refuses a request that breaks the rules of its proto, before any handler sees it.
    let servers = out.join("servers");
    fs::create_dir_all(&servers)?;
    builder(&servers)
        .build_client(false)
        .codec_path("crate::codec::ValidatingCodec")
        .extern_path(".huiyin", "crate")
        .extern_path(".google.longrunning", LONGRUNNING)
        .compile_fds(descriptors.clone())?;

    prost_protovalidate_build::Builder::new()
        .file_descriptor_set_bytes(described)
        .fail_on_runtime_only(true)
        .out_dir(&out)
        .compile()
        .context("every rule in proto/ must be one that compiles")?;
    complete_validators(&out.join("validate_impl.rs"), &descriptors)
}

/// What goes into an `Any` says its name.
fn named() -> tonic_prost_build::Config {
    let mut named = tonic_prost_build::Config::new();
    named.enable_type_names().type_name_domain(["."], "type.googleapis.com");
    named
}

fn builder(out: &PathBuf) -> tonic_prost_build::Builder {
    tonic_prost_build::configure()
        .out_dir(out)
        .btree_map(".") // the same message always gives the same bytes: request bodies are hashed
        .extern_path(".buf.validate", "::prost_protovalidate::types")
        .extern_path(".google.rpc", "::tonic_types::pb")
        .emit_rerun_if_changed(false)
}

/// Every request says its name, and one without a single rule gets a validator that accepts: so one codec serves every
/// method. Every List request gives its paging fields.
fn complete_validators(path: &PathBuf, descriptors: &prost_types::FileDescriptorSet) -> anyhow::Result<()> {
    let mut code = fs::read_to_string(path)?;
    let mut requests = BTreeSet::new();
    let mut fields = BTreeMap::new();
    for file in &descriptors.file {
        for message in &file.message_type {
            let names: BTreeSet<&str> = message.field.iter().map(|field| field.name()).collect();
            fields.insert(format!("{}.{}", file.package(), message.name()), names);
        }
    }
    for file in &descriptors.file {
        for method in file.service.iter().flat_map(|service| &service.method) {
            if file.package().starts_with("huiyin.") || file.package() == "google.longrunning" {
                requests.insert(method.input_type().trim_start_matches('.').to_owned());
            }
        }
    }
    for request in requests {
        let path = request.replace('.', "::");
        if !code.contains(&format!("for {path} {{")) {
            code.push_str(&format!(
                "impl ::prost_protovalidate::Validate for {path} {{\n    fn validate(&self) -> ::core::result::Result<(), ::prost_protovalidate::ValidationError> {{ Ok(()) }}\n}}\n"
            ));
        }
        code.push_str(&format!(
            "impl crate::codec::Request for {path} {{ const NAME: &'static str = \"{request}\"; }}\n"
        ));
        let has = |field: &str| fields.get(&request).is_some_and(|fields| fields.contains(field));
        if ["page_size", "page_token", "filter"].into_iter().all(has) {
            let order_by = if has("order_by") { "&self.order_by" } else { "\"\"" };
            code.push_str(&format!(
                "impl {path} {{\n    /// Its paging fields.\n    pub fn paging(&self) -> crate::paging::Paging<'_> {{\n        crate::paging::Paging {{ page_size: self.page_size, page_token: &self.page_token, filter: &self.filter, order_by: {order_by} }}\n    }}\n}}\n"
            ));
        }
    }
    fs::write(path, code)?;
    Ok(())
}

fn find_protos(folder: &PathBuf, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let mut entries: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    entries.sort_by_key(fs::DirEntry::path);
    for entry in entries {
        let path = entry.path();
        if path.is_dir() {
            find_protos(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            found.push(path);
        }
    }
    Ok(())
}
