// SPDX-License-Identifier: Apache-2.0
// The command line of npurt: the only file that sees CLI11.
#include <map>
#include <string>

#include "../command_line.hpp"
#include "../files.hpp"
#include "command_tree.hpp"
#include "device_tools.hpp"
#include "options.hpp"

namespace npurt::tools {

namespace {

constexpr const char* exit_codes =
    "Exit code: 0 done; 1 something was found, or a call failed; 2 wrong arguments, or a file that cannot be read or\n"
    "written.";

void add_json(CLI::App* command, bool& json) { command->add_flag("--json", json, "Print JSON instead of text"); }

CLI::App* add_command(CLI::App& app, const char* name, const char* what, const char* examples) {
  CLI::App* command = app.add_subcommand(name, what);
  command->footer(std::string(exit_codes) + "\n\nExamples:\n" + examples);
  return command;
}

void add_inspect(CLI::App& app, inspect_options& o) {
  CLI::App* c = add_command(app, "inspect", "What is in a file: sections, kernels, programs, BDs, locks, streams",
                            "  npurt inspect design.xclbin\n"
                            "  npurt inspect insts.txt --json\n"
                            "  npurt inspect design.pdi --plot array.png");
  c->add_option("FILE", o.file, "XCLBIN, PDI, AIE ELF, control ELF or control code, told apart by its content")
      ->required()
      ->type_name("");
  c->add_option("--plot", o.plot, "Draw the array to this PNG file")->type_name("FILE");
  add_json(c, o.json);
}

void add_lint(CLI::App& app, lint_options& o) {
  CLI::App* c = add_command(app, "lint", "What would fail with files on an NPU, before it does",
                            "  npurt lint design.xclbin insts.bin\n"
                            "  npurt lint --json design.pdi");
  c->add_option("FILE", o.files, "XCLBINs, PDIs, AIE ELFs, control ELFs or control code")->required()->type_name("");
  add_json(c, o.json);
}

void add_pack(CLI::App& app, pack_options& o) {
  CLI::App* c = add_command(
      app, "pack", "Make an XCLBIN from a PDI, with xclbinutil",
      "  npurt pack design.pdi -o design.xclbin --kernel add --columns 1 --arg a:bo --arg b:bo --arg sum:bo");
  c->add_option("PDI", o.pdi, "The file that configures the array")->required()->type_name("");
  c->add_option("-o,--output", o.output, "XCLBIN to write")->required()->type_name("FILE");
  c->add_option("--kernel", o.kernel, "Name of the kernel")->required()->type_name("NAME");
  c->add_option("--columns", o.columns, "Columns of the partition that the PDI is for, 1 to 4")
      ->required()
      ->check(CLI::Range(1U, 4U))
      ->type_name("N");
  c->add_option("--arg", o.arguments,
                "A data buffer of the kernel; opcode, instructions and their count come before, buffers in this order")
      ->allow_extra_args(false)
      ->type_name("NAME:bo");
  c->add_flag("--force", o.force, "Pack a PDI in which lint finds errors");
  add_json(c, o.json);
}

struct run_buffers {
  std::vector<std::string> in, out, inout;
};

void add_run(CLI::App& app, run_options& o, run_buffers& buffers) {
  CLI::App* c =
      add_command(app, "run", "Run a kernel of an XCLBIN once: control code and buffers from files, results to files",
                  "  npurt run design.xclbin --insts insts.bin --in a.bin --in b.bin --out sum.bin:4096\n"
                  "  npurt-emu npurt run design.xclbin --insts insts.txt --in x.bin --out y.bin:64K --json");
  c->add_option("FILE", o.file, "XCLBIN")->required()->type_name("");
  c->add_option("--insts", o.instructions, "Control code: words, or hexadecimal text")->required()->type_name("FILE");
  c->add_option("--kernel", o.kernel, "Kernel, if the file has several")->type_name("NAME");
  const auto buffer = [&](const char* name, std::vector<std::string>& files, const char* value, const char* what) {
    c->add_option(name, files, what)->allow_extra_args(false)->type_name(value);
  };
  buffer("--in", buffers.in, "FILE",
         "The next buffer, filled from a file; buffers are passed in the order of these options");
  buffer("--out", buffers.out, "FILE:BYTES",
         "The next buffer, zeros before and written to a file after the call; K and M count");
  buffer("--inout", buffers.inout, "FILE", "The next buffer, filled from a file and written back to it");
  c->add_option("--device", o.device, "Index of the NPU")->type_name("N");
  c->add_option("--repeat", o.repeat, "Calls, one after the other")->check(CLI::Range(1U, 1000000U))->type_name("N");
  c->add_option("--timeout", o.timeout_ms,
                "Milliseconds that a call may take; ten seconds, emulated an hour if not given")
      ->type_name("MS");
  add_json(c, o.json);
}

/// The buffers in the order in which they were given, whichever option gave them.
void order_buffers(const CLI::App& app, const run_buffers& buffers, run_options& o) {
  using use = call_buffer::role;
  std::map<std::string, std::size_t> next;
  const std::map<std::string, std::pair<use, const std::vector<std::string>*>> kinds{
      {"--in", {use::in, &buffers.in}}, {"--out", {use::out, &buffers.out}}, {"--inout", {use::inout, &buffers.inout}}};
  for (const CLI::Option* option : app.get_subcommand("run")->parse_order()) {
    if (const auto kind = kinds.find(option->get_name()); kind != kinds.end()) {
      o.buffers.push_back({kind->second.first, kind->second.second->at(next[kind->first]++)});
    }
  }
}

void add_doctor(CLI::App& app, doctor_options& o) {
  CLI::App* c = add_command(app, "doctor", "Whether calls can work on this machine, and what to do if they cannot",
                            "  npurt doctor\n"
                            "  npurt doctor --json");
  add_json(c, o.json);
}

void add_hw_check(CLI::App& app, hw_check_options& o) {
  CLI::App* c = add_command(
      app, "hw-check", "Run every operation on the NPU, compare results with references, measure times, write a report",
      "  npurt hw-check -o report.json\n"
      "  npurt-emu npurt hw-check -o model.json   # the model's times, on the emulated NPU");
  o.output = "npurt-hw-check.json";
  c->add_option("-o,--output", o.output, "Report to write, JSON")->type_name("FILE")->capture_default_str();
  c->add_option("--model", o.model, "A report of npurt-emu with the modelled times; made by the way if not given")
      ->type_name("FILE");
  c->add_option("--only", o.only, "One check by its name")->type_name("NAME");
  c->add_option("--device", o.device, "Index of the NPU")->type_name("N");
  c->add_option("--repeat", o.repeat, "Calls that are timed after the first")
      ->check(CLI::Range(1U, 10000U))
      ->type_name("N");
  add_json(c, o.json);
}

struct text_options {
  std::string shell, page;
};

void add_texts(CLI::App& app, text_options& o) {
  add_command(app, "completion", "Print the completion of this command line for a shell",
              "  source <(npurt completion bash)\n"
              "  source <(npurt completion zsh)\n"
              "  npurt completion fish | source")
      ->add_option("SHELL", o.shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember(std::vector<std::string>(shells.begin(), shells.end())))
      ->type_name("");
  add_command(app, "manual", "Print a manual page", "  npurt manual doctor | man -l -")
      ->add_option("COMMAND", o.page, "Of this command; of npurt itself if not given")
      ->type_name("");
}

option_description describe(const CLI::Option& option) {
  option_description out{.names = {},
                         .value = option.get_type_name(),
                         .text = option.get_description(),
                         .required = option.get_required(),
                         .repeated = option.get_expected_max() > 1};
  for (const std::string& name : option.get_snames()) {
    out.names.push_back("-" + name);
  }
  for (const std::string& name : option.get_lnames()) {
    out.names.push_back("--" + name);
  }
  if (out.names.empty()) {
    out.value = option.get_name(true);
  }
  // CLI11 appends the range that a number must be in.
  out.value = out.value.substr(0, out.value.find(":UINT"));
  return out;
}

command_description describe(const CLI::App& app) {
  command_description out{
      .name = app.get_name(), .text = app.get_description(), .footer = app.get_footer(), .options = {}, .commands = {}};
  for (const CLI::Option* option : app.get_options()) {
    out.options.push_back(describe(*option));
  }
  for (const CLI::App* command : app.get_subcommands({})) {
    out.commands.push_back(describe(*command));
  }
  return out;
}

struct all_options {
  inspect_options inspect;
  lint_options lint;
  pack_options pack;
  run_options run;
  run_buffers buffers;
  doctor_options doctor;
  hw_check_options hw_check;
  text_options texts;
};

void add_commands(CLI::App& app, all_options& o) {
  app.require_subcommand(1);
  app.footer(exit_codes);
  app.set_version_flag("--version", NPURT_VERSION);
  add_inspect(app, o.inspect);
  add_lint(app, o.lint);
  add_pack(app, o.pack);
  add_run(app, o.run, o.buffers);
  add_doctor(app, o.doctor);
  add_hw_check(app, o.hw_check);
  add_texts(app, o.texts);
}

int carry_out(const CLI::App& app, all_options& o) {
  const std::string name = app.get_subcommands().front()->get_name();
  if (name == "inspect") {
    return run_inspect(o.inspect);
  }
  if (name == "lint") {
    return run_lint(o.lint);
  }
  if (name == "pack") {
    return run_pack(o.pack);
  }
  if (name == "run") {
    order_buffers(app, o.buffers, o.run);
    return run_on_device(o.run);
  }
  if (name == "doctor") {
    return run_doctor(o.doctor);
  }
  if (name == "hw-check") {
    return run_hw_check(o.hw_check);
  }
  print_text(name == "completion" ? completion(describe(app), o.texts.shell)
                                  : manual_page(describe(app), o.texts.page));
  return all_well;
}

}  // namespace

}  // namespace npurt::tools

int main(int argc, char** argv) {
  using namespace npurt::tools;
  CLI::App app("tools for AMD XDNA NPUs: look into files, check them and the machine, make and run them", "npurt");
  all_options options;
  add_commands(app, options);
  return parse_and_run(app, "npurt", argc, argv, [&] { return carry_out(app, options); });
}
