// SPDX-License-Identifier: Apache-2.0
// npurt-kernels: builds the shipped kernels into XCLBINs with a manifest, or checks the committed ones.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "binfmt/content_uuid.hpp"
#include "config/description.hpp"
#include "kernels.hpp"

namespace {

namespace fs = std::filesystem;
using namespace npurt;
using json = nlohmann::ordered_json;

struct options {
  fs::path kernels;
  fs::path output;
  fs::path assembly;  ///< where the assembly texts go; empty: nowhere
  std::string only;
  bool check = false;
};

using manifest = std::map<std::string, json>;  ///< entries by kernel

constexpr const char* manifest_name = "manifest.json";

std::string read_text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in) {
    throw config::config_error("cannot read " + path.string());
  }
  return text;
}

void write_text(const fs::path& path, std::string_view text) {
  std::ofstream out(path, std::ios::binary);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  if (!out.flush()) {
    throw config::config_error("cannot write " + path.string());
  }
}

std::string_view as_text(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

json manifest_entry(const kernels::kernel_entry& k, std::string_view source, const std::vector<std::byte>& xclbin) {
  return {{"name", k.folder},
          {"kernel", k.kernel_name},
          {"tile", k.tile},
          {"types", k.types},
          {"file", std::string(k.folder) + ".xclbin"},
          {"source_uuid", binfmt::to_text(binfmt::uuid_of(source))},
          {"file_uuid", binfmt::to_text(binfmt::uuid_of(xclbin))}};
}

/// The manifest's entries of kernels that this run does not build stay.
manifest other_entries(const options& o) {
  manifest others;
  const fs::path path = o.output / manifest_name;
  if (!o.only.empty() && fs::exists(path)) {
    for (const json& entry : json::parse(read_text(path)).at("kernels")) {
      if (entry.at("name") != o.only) {
        others.emplace(entry.at("name").get<std::string>(), entry);
      }
    }
  }
  return others;
}

/// Where two files begin to differ, as text; nothing if they are the same.
std::optional<std::string> first_difference(const fs::path& committed, std::string_view rebuilt) {
  if (!fs::exists(committed)) {
    return committed.string() + " is missing";
  }
  const std::string old = read_text(committed);
  const auto [a, b] = std::ranges::mismatch(old, rebuilt);
  if (a == old.end() && b == rebuilt.end()) {
    return std::nullopt;
  }
  return committed.string() + " (" + std::to_string(old.size()) + " bytes) differs from the rebuilt one (" +
         std::to_string(rebuilt.size()) + " bytes) at byte " + std::to_string(a - old.begin());
}

/// Writes the file, or compares it with the one that is there.
bool deliver(const options& o, const std::string& name, std::string_view content) {
  if (!o.check) {
    write_text(o.output / name, content);
    return true;
  }
  const auto difference = first_difference(o.output / name, content);
  if (difference) {
    std::fprintf(stderr, "npurt-kernels: %s\n", difference->c_str());
  }
  return !difference;
}

/// One file a page, for people and for npurt-core.
void write_assembly(const options& o, std::string_view folder, const std::vector<std::string>& sources) {
  if (o.assembly.empty()) return;
  fs::create_directories(o.assembly);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const std::string page = sources.size() == 1 ? "" : "-page-" + std::to_string(i + 1);
    write_text(o.assembly / (std::string(folder) + page + ".s"), sources[i]);
  }
}

bool build(const options& o, const kernels::kernel_entry& k, manifest& entries) {
  const std::vector<std::string> sources = kernels::read_source(o.kernels, k.folder);
  write_assembly(o, k.folder, sources);
  const std::vector<std::byte> xclbin = kernels::build_kernel(k.folder, sources);
  const std::string source = std::accumulate(sources.begin(), sources.end(), std::string());
  entries.emplace(k.folder, manifest_entry(k, source, xclbin));
  const bool good = deliver(o, std::string(k.folder) + ".xclbin", as_text(xclbin));
  std::printf("%s: %zu bytes, %s\n", std::string(k.folder).c_str(), xclbin.size(),
              !o.check ? "written"
              : good   ? "up to date"
                       : "differs");
  return good;
}

int run(const options& o) {
  if (!o.only.empty()) {
    kernels::find(o.only);
  }
  if (!o.check) {
    fs::create_directories(o.output);
  }
  manifest entries = other_entries(o);
  bool good = true;
  for (const kernels::kernel_entry& k : kernels::entries()) {
    if (o.only.empty() || o.only == k.folder) {
      good = build(o, k, entries) && good;
    }
  }
  json list = json::array();
  for (const auto& [name, entry] : entries) {
    list.push_back(entry);
  }
  good = deliver(o, manifest_name, json{{"kernels", list}}.dump(2) + "\n") && good;
  return good ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  options o;
  CLI::App app{"Builds the shipped kernels"};
  app.add_option("kernels", o.kernels, "The folder with kernels.inc")->required()->check(CLI::ExistingDirectory);
  app.add_option("--only", o.only, "Build this kernel alone")->type_name("NAME");
  app.add_option("--output", o.output, "Where XCLBINs and manifest go; <kernels>/prebuilt if not given")
      ->type_name("DIR");
  app.add_option("--assembly", o.assembly,
                 "Write the assembly texts there, too: <kernel>.s, <kernel>-page-<n>.s of one with pages of code")
      ->type_name("DIR");
  app.add_flag("--check", o.check, "Compare with the files that are there instead of writing; exit 1 if one differs");
  CLI11_PARSE(app, argc, argv);
  if (o.output.empty()) {
    o.output = o.kernels / "prebuilt";
  }
  try {
    return run(o);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "npurt-kernels: %s\n", e.what());
    return 1;
  }
}
