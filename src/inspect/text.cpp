// SPDX-License-Identifier: Apache-2.0
// A description as text: what describe() gives, laid out in lines and columns.
#include <algorithm>
#include <format>
#include <nlohmann/json.hpp>
#include <string>

#include "inspect/describe.hpp"

namespace npurt::inspect {

namespace {

using json = nlohmann::ordered_json;

std::string tile_text(const json& tile) {
  return std::format("({},{})", tile.at(0).get<unsigned>(), tile.at(1).get<unsigned>());
}

std::string text_of(const json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

/// "a, b, c"; "-" for nothing.
std::string list_of(const json& values) {
  std::string text;
  for (const json& value : values) {
    text += (text.empty() ? "" : ", ") + text_of(value);
  }
  return text.empty() ? "-" : text;
}

std::string bd_text(const json& bd) {
  std::string text = std::format("      BD {:>2}: {} bytes at {:#x}", bd.at("bd").get<unsigned>(),
                                 bd.at("bytes").get<std::uint64_t>(), bd.at("address").get<std::uint64_t>());
  if (bd.contains("dimensions")) {
    text += ", step x wrap";
    for (const json& d : bd.at("dimensions")) {
      text += std::format(" {}x{}", d.at("step").get<unsigned>(), d.at("wrap").get<unsigned>());
    }
  }
  for (const char* lock : {"acquire", "release"}) {
    if (bd.contains(lock)) {
      text += std::format(", {} lock {} by {}", lock, bd.at(lock).at("lock").get<int>(),
                          bd.at(lock).at("value").get<int>());
    }
  }
  if (bd.contains("packet")) {
    text += std::format(", packet {}", bd.at("packet").get<unsigned>());
  }
  if (bd.contains("next")) {
    text += std::format(", then BD {}", bd.at("next").get<unsigned>());
  }
  return text + (bd.at("valid").get<bool>() ? "\n" : ", not valid\n");
}

std::string task_text(const json& task) {
  return std::format("      {}: BD {}{}{}\n", task.at("channel").get<std::string>(), task.at("bd").get<unsigned>(),
                     task.at("repeat") == 1 ? "" : std::format(" {} times", task.at("repeat").get<unsigned>()),
                     task.at("token").get<bool>() ? ", token at its end" : "");
}

std::string tile_line(const json& tile) {
  std::string text = std::format("    {} {}", tile_text(tile.at("tile")), tile.at("kind").get<std::string>());
  if (tile.contains("program_bytes")) {
    text += std::format(": program {} of {} bytes{}", tile.at("program_bytes").get<std::uint64_t>(),
                        tile.at("program_memory").get<std::uint64_t>(),
                        tile.at("core_enabled").get<bool>() ? ", started" : ", not started");
  }
  if (const auto data = tile.value("data_bytes", std::uint64_t{0}); data != 0) {
    text += std::format(", {} bytes of data", data);
  }
  std::string locks;
  for (const json& lock : tile.at("locks")) {
    locks += std::format(" {}={}", lock.at("lock").get<unsigned>(), lock.at("value").get<unsigned>());
  }
  return text + (locks.empty() ? "" : ", locks" + locks) + "\n";
}

std::string end_text(const json& end) { return tile_text(end.at("tile")) + " " + end.at("port").get<std::string>(); }

std::string flow_text(const json& flow) {
  std::string to;
  for (const json& end : flow.at("to")) {
    to += (to.empty() ? "" : " + ") + end_text(end);
  }
  std::string text = std::format("    {} -> {}", end_text(flow.at("from")), to.empty() ? "nowhere" : to);
  if (flow.contains("packets")) {
    text += ", packets " + list_of(flow.at("packets"));
  }
  text += std::format(", {} switch{}", flow.at("hops").size(), flow.at("hops").size() == 1 ? "" : "es");
  return text + (flow.contains("problem") ? "; " + flow.at("problem").get<std::string>() : "") + "\n";
}

std::string array_text(const json& array) {
  std::string text = std::format("  array: {} column{}, {} commands, {} words\n", array.at("columns").get<unsigned>(),
                                 array.at("columns") == 1 ? "" : "s", array.at("commands").get<std::size_t>(),
                                 array.at("words").get<std::size_t>());
  for (const json& tile : array.at("tiles")) {
    text += tile_line(tile);
    for (const json& bd : tile.at("bds")) {
      text += bd_text(bd);
    }
    for (const json& task : tile.at("tasks")) {
      text += task_text(task);
    }
  }
  text += array.at("flows").empty() ? "" : "  flows:\n";
  for (const json& flow : array.at("flows")) {
    text += flow_text(flow);
  }
  return text;
}

std::string kernel_text(const json& kernel) {
  std::string text = std::format("kernel {} (id {}), instances {}\n", kernel.at("name").get<std::string>(),
                                 kernel.at("dpu_kernel_id").get<std::string>(), list_of(kernel.at("instances")));
  for (const json& a : kernel.at("arguments")) {
    std::string groups;
    for (const json& group : a.at("groups")) {
      groups += std::format(", group {} ({})", group.at("group").get<unsigned>(), group.at("tag").get<std::string>());
    }
    text +=
        std::format("  {:>2} {:<10} {:<8} {} of {} bytes at {:#x}{}\n", a.at("index").get<unsigned>(),
                    a.at("name").get<std::string>(), a.at("type").get<std::string>(), a.at("kind").get<std::string>(),
                    a.at("bytes").get<std::uint64_t>(), a.at("offset").get<std::uint64_t>(), groups);
  }
  return text;
}

std::string pdi_text(const json& pdi) {
  return std::format("  image {}, id code {}, {} CDO words\n", pdi.at("image_name").get<std::string>(),
                     pdi.at("id_code").get<std::string>(), pdi.at("cdo_words").get<std::size_t>()) +
         array_text(pdi.at("array"));
}

std::string partition_text(const json& partition) {
  std::string text = std::format("partition of {} columns, start columns {}, {} operations per cycle\n",
                                 partition.at("columns").get<unsigned>(), list_of(partition.at("start_columns")),
                                 partition.at("operations_per_cycle").get<unsigned>());
  for (const json& pdi : partition.at("pdis")) {
    text +=
        std::format("PDI of {} bytes for kernels {}\n", pdi.at("bytes").get<std::size_t>(),
                    list_of(pdi.at("dpu_kernel_ids"))) +
        (pdi.contains("problem") ? "  cannot be read: " + pdi.at("problem").get<std::string>() + "\n" : pdi_text(pdi));
  }
  return text;
}

std::string xclbin_text(const json& file) {
  std::string text = "uuid " + file.at("uuid").get<std::string>() + "\nsections:\n";
  for (const json& s : file.at("sections")) {
    text += std::format("  {:<24} {:>8} bytes at {:#x}\n", s.at("section").get<std::string>(),
                        s.at("bytes").get<std::uint64_t>(), s.at("offset").get<std::uint64_t>());
  }
  for (const json& m : file.at("memories")) {
    text += std::format("memory {} {}: {} KB at {:#x}{}\n", m.at("index").get<unsigned>(),
                        m.at("tag").get<std::string>(), m.at("size_kb").get<std::uint64_t>(),
                        m.at("base_address").get<std::uint64_t>(), m.at("used").get<bool>() ? "" : ", not used");
  }
  for (const json& kernel : file.at("kernels")) {
    text += kernel_text(kernel);
  }
  return text + partition_text(file.at("partition"));
}

std::string counts_of(const json& counts) {
  std::string text;
  for (const auto& [name, count] : counts.items()) {
    text += std::format("{}{} {}", text.empty() ? "" : ", ", count.get<std::size_t>(), name);
  }
  return text;
}

std::string control_code_text(const json& code) {
  std::string text = std::format("transaction stream {} for {}, {} columns, {} bytes\n{} operations: {}\n",
                                 code.at("version").get<std::string>(), code.at("generation").get<std::string>(),
                                 code.at("columns").get<unsigned>(), code.at("stream_bytes").get<std::size_t>(),
                                 code.at("operations").get<std::size_t>(), counts_of(code.at("operations_by_name")));
  for (const json& a : code.at("arguments")) {
    text += std::format("bo{}: {} addresses, read by {} tasks, written by {}\n", a.at("argument").get<unsigned>(),
                        a.at("patches").get<std::size_t>(), a.at("tasks_that_read").get<std::size_t>(),
                        a.at("tasks_that_write").get<std::size_t>());
  }
  for (const json& w : code.at("waits")) {
    text += std::format("waits for {} of {}, {} x {} tiles\n", w.at("channel").get<std::string>(),
                        tile_text(w.at("tile")), w.at("columns").get<unsigned>(), w.at("rows").get<unsigned>());
  }
  return text + array_text(code.at("array"));
}

std::string core_elf_text(const json& file) {
  std::string text = std::format("program of {} of {} bytes\n", file.at("program_bytes").get<std::uint64_t>(),
                                 file.at("program_memory").get<std::uint64_t>());
  for (const json& s : file.at("segments")) {
    text += std::format("  {} memory {:#x}: {} bytes\n", s.at("memory").get<std::string>(),
                        s.at("address").get<std::uint64_t>(), s.at("bytes").get<std::uint64_t>());
  }
  return text;
}

std::string control_elf_text(const json& file) {
  std::string text;
  for (const json& s : file.at("sections")) {
    text += std::format("  {:<20} {} bytes\n", s.at("section").get<std::string>(), s.at("bytes").get<std::uint64_t>());
  }
  text += std::format("{} relocations; by symbol: {}\n", file.at("relocations").get<std::size_t>(),
                      counts_of(file.at("relocations_by_symbol")));
  return text + (file.contains("control_code") ? control_code_text(file.at("control_code")) : "");
}

}  // namespace

std::string to_text(const json& description) {
  std::string text = std::format("{}, {} bytes\n", description.at("kind").get<std::string>(),
                                 description.at("bytes").get<std::size_t>());
  if (description.contains("partition")) {
    return text + xclbin_text(description);
  }
  if (description.contains("cdo_words")) {
    return text + pdi_text(description);
  }
  if (description.contains("segments")) {
    return text + core_elf_text(description);
  }
  return text + (description.contains("relocations") ? control_elf_text(description) : control_code_text(description));
}

}  // namespace npurt::inspect
