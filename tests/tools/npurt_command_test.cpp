// SPDX-License-Identifier: Apache-2.0
// npurt run, pack, hw-check, doctor on the emulated device; help, completion and manual pages.
#include <algorithm>
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>
#include <set>

#include "binfmt/xclbin.hpp"
#include "i8-matmul/reference.hpp"
#include "support/xclbin_bytes.hpp"
#include "tools/command.hpp"
#include "tools/npurt_findings.hpp"

using namespace npurt;
using namespace npurt::test;
using nlohmann::json;

namespace {

const std::string command = NPURT_COMMAND " ", emulated = NPURT_EMU " " NPURT_COMMAND " ";
const std::string prebuilt = NPURT_SOURCE_DIR "/kernels/prebuilt/i8-matmul.xclbin";
constexpr std::size_t m = 256, n = 256, k = 64;

#define NPURT_OPERATION(number, function, page) +1
constexpr std::size_t operations_of_the_overlay = 0
#include "overlay/operations.inc"
    ;
#undef NPURT_OPERATION

/// a.bin, b.bin and insts.bin of one product, whose result is known.
struct product {
  scratch_folder folder;
  std::vector<std::int8_t> a = std::vector<std::int8_t>(m * k), b = std::vector<std::int8_t>(k * n);

  product() {
    for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<std::int8_t>(i * 7 % 251);
    for (std::size_t i = 0; i < b.size(); ++i) b[i] = static_cast<std::int8_t>(i * 13 % 241);
    folder.write("a.bin", bytes_of(a));
    folder.write("b.bin", bytes_of(b));
    REQUIRE(folder.run(NPURT_INSTS " matmul-i8 256 256 64 -o insts.bin").code == 0);
  }
  bool right() const {
    return values_of<std::int32_t>(folder.read("c.bin")) == kernels::reference::matmul_i8(a, b, m, k, n);
  }
  outcome run(const std::string& xclbin, const std::string& more = "") const {
    return folder.run(emulated + "run " + xclbin + " --insts insts.bin --in a.bin --in b.bin --out c.bin:256K " + more);
  }
};

}  // namespace

TEST_CASE("npurt run computes with buffers from files", "[tools][run]") {
  const product p;
  const auto done = p.run(prebuilt, "--json --repeat 3");
  INFO(done.err);
  REQUIRE(done.code == 0);
  const json report = json::parse(done.out);
  CHECK(report.at("completed") == true);
  CHECK(report.at("emulated") == true);
  CHECK(report.at("kernel") == "i8_matmul");
  CHECK(report.at("calls") == 3);
  CHECK(report.at("modelled_cycles") > 0);
  CHECK(contains(report.at("time_model").get<std::string>(), "modelled at 1028 MHz"));
  CHECK(p.right());
}

TEST_CASE("npurt run shows a terminal how far it is, and nothing else", "[tools][run]") {
  const product p;
  const auto quiet = p.run(prebuilt, "--repeat 2");
  CHECK(quiet.code == 0);
  CHECK(quiet.err.empty());
  p.folder.write("watched.sh", emulated + "run " + prebuilt +
                                   " --insts insts.bin --in a.bin --in b.bin --out c.bin:256K --repeat 2\n");
  const auto watched = p.folder.run("script -qec 'sh watched.sh' /dev/null");
  CHECK(watched.code == 0);
  CHECK(contains(watched.out, "\r\033[K[1/2] call"));
}

TEST_CASE("npurt run passes buffers in the order of its options", "[tools][run]") {
  const product p;
  // C first: the control code would write its third buffer, which is b.bin and too small.
  const auto done =
      p.folder.run(emulated + "run " + prebuilt + " --insts insts.bin --out c.bin:16K --in a.bin --in b.bin");
  CHECK(done.code == 1);
  CHECK(contains(done.err, "npurt run: "));
}

TEST_CASE("npurt run says why a call fails", "[tools][run]") {
  const product p;
  CHECK(contains(p.run(prebuilt, "--kernel other").err, "i8_matmul"));  // what there is
  const auto fault = p.folder.run("NPURT_EMU_FAULT='command@1=timeout' " + emulated + "run " + prebuilt +
                                  " --insts insts.bin --in a.bin --in b.bin --out c.bin:256K --json");
  CHECK(fault.code == 1);
  CHECK(json::parse(fault.out).at("completed") == false);
  CHECK(contains(json::parse(fault.out).at("error").get<std::string>(), "watchdog"));
  const auto missing = p.folder.run(emulated + "run " + prebuilt + " --insts a.bin --in a.bin");
  CHECK(missing.code == 2);
  CHECK(contains(missing.err, "a.bin is no control code"));
  for (const char* out : {"c.bin", "c.bin:", "c.bin:0", "c.bin:12x", "c.bin:99999M", ":12"}) {
    INFO(out);
    const auto refused = p.folder.run(emulated + "run " + prebuilt + " --insts insts.bin --out " + out);
    CHECK(refused.code == 2);
    CHECK(contains(refused.err, "FILE:BYTES"));
  }
}

TEST_CASE("npurt run names files and kernels that it cannot take", "[tools][run]") {
  const product p;
  const auto refused = [&](const std::string& arguments, const std::string& part) {
    INFO(arguments);
    const auto done = p.folder.run(emulated + "run " + arguments);
    INFO(done.err);
    CHECK(done.code == 2);
    CHECK(contains(done.err, part));
  };
  p.folder.write("odd.txt", "06030100 word");
  p.folder.write("empty.bin", "");
  refused(prebuilt + " --insts odd.txt", "odd.txt: control code text: no hexadecimal word");
  refused(prebuilt + " --insts insts.bin --in missing.bin", "cannot read missing.bin");
  refused(prebuilt + " --insts insts.bin --in empty.bin", "empty.bin has 0 bytes");
}

TEST_CASE("a command whose part for the device is missing, or of another version, says so", "[tools]") {
  const scratch_folder folder;
  REQUIRE(folder.run("mkdir -p bin " NPURT_LIBDIR "/npurt && cp " NPURT_COMMAND " bin/").code == 0);
  const std::string hw_check = "bin/npurt hw-check --only relu";
  const auto missing = folder.run(hw_check);
  CHECK(missing.code == 2);
  CHECK(contains(missing.err, "npurt_device_tools.so: cannot open shared object file"));
  CHECK(contains(missing.err, "`npurt doctor`"));
  REQUIRE(folder.run("cp " NPURT_EMULATOR " " NPURT_LIBDIR "/npurt/npurt_device_tools.so").code == 0);
  const auto other = folder.run(hw_check);
  CHECK(other.code == 2);
  CHECK(contains(other.err, "it is of another version"));
}

TEST_CASE("npurt pack makes an XCLBIN that runs, and that lint has nothing against", "[tools][pack]") {
  const product p;
  const auto file = read_prebuilt();
  const auto image = binfmt::read_xclbin(file).partition.pdis.at(0).image;
  p.folder.write("one.pdi", std::string(reinterpret_cast<const char*>(image.data()), image.size()));
  const auto packed =
      p.folder.run(command + "pack one.pdi -o one.xclbin --kernel product --columns 4 --arg a:bo --arg b --arg c:bo");
  INFO(packed.err);
  REQUIRE(packed.code == 0);
  CHECK(p.folder.run(command + "lint one.xclbin").code == 0);
  const json kernel = json::parse(p.folder.run(command + "inspect --json one.xclbin").out).at("kernels").at(0);
  CHECK(kernel.at("name") == "product");
  CHECK(kernel.at("arguments").at(4).at("name") == "b");
  CHECK(kernel.at("arguments").at(4).at("offset") == 0x1C);
  const auto done = p.run("one.xclbin");
  INFO(done.err);
  CHECK(done.code == 0);
  CHECK(contains(done.out, "kernel product completed"));
  CHECK(p.right());
}

TEST_CASE("npurt pack refuses what cannot run", "[tools][pack]") {
  const scratch_folder folder;
  const auto file = read_prebuilt();
  const auto image = binfmt::read_xclbin(file).partition.pdis.at(0).image;
  folder.write("one.pdi", std::string(reinterpret_cast<const char*>(image.data()), image.size()));
  folder.write("no.pdi", "no PDI");
  const auto refused = [&](const std::string& arguments, int code, const std::string& part) {
    const auto done = folder.run(command + "pack -o one.xclbin " + arguments);
    INFO(arguments);
    CHECK(done.code == code);
    CHECK(contains(done.out + done.err, part));
    CHECK_FALSE(std::filesystem::exists(folder.file("one.xclbin")));
  };
  refused("one.pdi --kernel k --columns 2", 1, "outside-partition");
  refused("one.pdi --kernel k --columns 5", 2, "--columns");
  refused("one.pdi --kernel 'a\"b' --columns 4", 2, "letters, digits");
  refused("one.pdi --kernel k --columns 4 --arg n:u32", 2, "buffers (bo) only");
  refused("one.pdi --kernel k --columns 4 --arg x --arg x", 2, "argument of that name");
  refused("one.pdi --kernel k --columns 4 --arg a --arg b --arg c --arg d --arg e --arg f --arg g --arg h", 2,
          "at most 7");
  refused("no.pdi --kernel k --columns 4", 2, "no.pdi: PDI");
}

TEST_CASE("npurt doctor is content with the emulated NPU", "[tools][doctor]") {
  const scratch_folder folder;
  const auto done = folder.run(emulated + "doctor --json");
  INFO(done.out);
  CHECK(done.code == 0);
  const json report = json::parse(done.out);
  CHECK(report.at("ready") == true);
  CHECK(report.at("machine").at("npus").at(0).at("firmware") == "1.5.5.391");
  CHECK(report.at("machine").at("npus").at(0).at("power_mode") == "default");
  CHECK(contains(folder.run(emulated + "doctor").out, "calls can work on this machine"));
}

TEST_CASE("npurt doctor sees what the driver tells", "[tools][doctor]") {
  const scratch_folder folder;
  const auto with = [&](const std::string& fault) {
    const auto done = folder.run("NPURT_EMU_FAULT='" + fault + "' " + emulated + "doctor");
    INFO(done.out);
    CHECK(done.code == 1);
    return done.out;
  };
  CHECK(contains(with("firmware=1.5.2.1"), "[firmware-old]"));
  CHECK(contains(with("firmware=old"), "[no-npu]"));  // the emulated driver takes its device away then
  CHECK(contains(with("ioctl:get_info@1=EIO"), "[driver-silent]"));
  CHECK(contains(with("device@1=gone"), "[driver-silent]"));
}

TEST_CASE("npurt hw-check writes a report", "[tools][hw-check]") {
  const scratch_folder folder;
  const auto done = folder.run(emulated + "hw-check --only relu --repeat 1 -o one.json");
  INFO(done.err);
  CHECK(done.code == 0);
  CHECK(contains(done.out, "emulated"));
  CHECK(contains(done.out, "1 of 1 right"));
  const json report = json::parse(folder.read("one.json"));
  CHECK(report.at("emulated") == true);
  CHECK(report.at("device").at("firmware") == "1.5.5.391");
  CHECK(report.at("checks").at(0).at("right") == true);
  CHECK(report.at("checks").at(0).at("modelled_us") > 0);
  CHECK(report.at("checks").at(0).at("median_call_us") > 0);
  // Another report's times stand beside the measured ones.
  json model = report;
  model["checks"][0]["modelled_us"] = 12.5;
  model["time_model"] = "of another day";
  folder.write("model.json", model.dump());
  REQUIRE(folder.run(emulated + "hw-check --only relu --repeat 1 -o two.json --model model.json").code == 0);
  const json second = json::parse(folder.read("two.json"));
  CHECK(second.at("time_model") == "of another day");
  CHECK(second.at("checks").at(0).at("modelled_us") == 12.5);
}

TEST_CASE("npurt hw-check without a device, or against what is no report, says so", "[tools][hw-check]") {
  const scratch_folder folder;
  const auto alone = folder.run(command + "hw-check --only relu");
  CHECK(alone.code == 1);
  CHECK(contains(alone.err, "`npurt doctor` says more"));
  folder.write("other.json", "[1, 2]");
  const auto other = folder.run(emulated + "hw-check --only relu --repeat 1 --model other.json");
  CHECK(other.code == 2);
  CHECK(contains(other.err, "other.json is no report of npurt hw-check"));
}

TEST_CASE("an emulated device that is asked for what there is not says so, and is not there", "[tools]") {
  const scratch_folder folder;
  const auto threads = folder.run("NPURT_EMU_THREADS=many " + emulated + "hw-check --only relu");
  CHECK(threads.code == 1);
  CHECK(contains(threads.err, "npurt-emu: NPURT_EMU_THREADS=many: expected a number from 0 to "));
}

TEST_CASE("a timeline that cannot be written is told when the program ends", "[tools]") {
  const scratch_folder folder;
  const auto done =
      folder.run("NPURT_LOG=error NPURT_TRACE=missing/t.json " + emulated + "hw-check --only relu --repeat 1");
  CHECK(done.code == 0);
  CHECK(contains(done.err, "NPURT_TRACE: "));
}

TEST_CASE("npurt-emu says what it does not take and cannot draw", "[tools]") {
  const scratch_folder folder;
  const auto unknown = folder.run(NPURT_EMU " --clock fast true");
  CHECK(unknown.code == 125);
  CHECK(contains(unknown.err, "--clock"));
  const auto unwritable =
      folder.run(NPURT_EMU " --plot missing/p.png " NPURT_COMMAND " hw-check --only relu --repeat 1");
  CHECK(unwritable.code == 0);
  CHECK(contains(unwritable.err, "cannot write missing/p.png"));
}

TEST_CASE("npurt hw-check finds every operation right, all on one context whose PDI is loaded once",
          "[tools][hw-check]") {
  const scratch_folder folder;
  const auto done = folder.run("NPURT_EMU_STATS=stats.json " + emulated + "hw-check --repeat 1 --json -o all.json");
  INFO(done.out);
  CHECK(done.code == 0);
  const json report = json::parse(done.out);
  CHECK(report == json::parse(folder.read("all.json")));
  CHECK(report.at("checks").size() == 18);
  CHECK(report.at("wrong") == 0);
  std::set<std::string> names;
  for (const json& row : report.at("checks")) names.insert(row.at("name"));
  constexpr std::array operations{"copy",         "gelu",         "silu",    "relu",      "scale",       "add",
                                  "gelu-i8",      "layernorm",    "softmax", "matmul-i8", "matmul-bf16", "attention",
                                  "matmul-i8-i8", "attention-i8", "mel",     "transpose"};
  static_assert(operations.size() == operations_of_the_overlay);
  for (const char* operation : operations) CHECK(names.contains(operation));
  const json stats = json::parse(folder.read("stats.json"));
  CHECK(stats.at("totals").at("contexts") == 1);
  CHECK(stats.at("totals").at("pdi_loads") == 1);
  REQUIRE(stats.at("commands").size() >= 2 * report.at("checks").size());
  CHECK(stats.at("totals").at("commands") == stats.at("commands").size());
  for (std::size_t i = 0; i < stats.at("commands").size(); ++i) {
    const json& each = stats.at("commands")[i];
    CHECK(each.at("pdi_loads") == (i == 0 ? 1 : 0));
    CHECK(each.at("firmware_cycles_by_operation").contains("load PDI") == (i == 0));
  }
}

TEST_CASE("npurt hw-check says which operation is not right", "[tools][hw-check]") {
  const scratch_folder folder;
  const auto done =
      folder.run("NPURT_EMU_FAULT='command@1+=error' " + emulated + "hw-check --only relu --repeat 1 -o one.json");
  CHECK(done.code == 1);
  const json row = json::parse(folder.read("one.json")).at("checks").at(0);
  CHECK(row.at("right") == false);
  CHECK(contains(row.at("error").get<std::string>(), "ERT_CMD_STATE_ERROR"));
  CHECK(folder.run(emulated + "hw-check --only nothing -o x.json").code == 2);
}

TEST_CASE("every command of npurt explains itself, with exit codes and examples", "[tools]") {
  const scratch_folder folder;
  for (const char* name : {"inspect", "lint", "pack", "run", "doctor", "hw-check", "completion", "manual"}) {
    INFO(name);
    const auto help = folder.run(command + name + " --help");
    CHECK(help.code == 0);
    CHECK(contains(help.out, "Exit code"));
    CHECK(contains(help.out, "Examples:"));
    const auto page = folder.run(command + "manual " + name);
    CHECK(page.code == 0);
    CHECK(contains(page.out, ".SH SYNOPSIS\n.B npurt "));
    CHECK(contains(page.out, ".SH OPTIONS"));
  }
  CHECK(contains(folder.run(command + "manual").out, "see npurt\\-"));
  CHECK(folder.run(command + "manual nothing").code == 2);
  CHECK(folder.run(command).code == 2);
  CHECK(folder.run(command + "frob").code == 2);
}

TEST_CASE("npurt completes its commands and options in bash", "[tools]") {
  const scratch_folder folder;
  REQUIRE(folder.run(command + "completion bash").code == 0);
  folder.write("npurt.bash", folder.read("stdout.txt"));
  const auto completed = [&](const std::string& words, int at) {
    folder.write("ask.bash", "source ./npurt.bash\nCOMP_WORDS=(" + words + ")\nCOMP_CWORD=" + std::to_string(at) +
                                 "\n_npurt_complete\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n");
    const auto done = folder.run("bash ask.bash");
    CHECK(done.err.empty());
    return done.out;
  };
  CHECK(completed("npurt do", 1) == "doctor\n");
  CHECK(contains(completed("npurt run --", 2), "--insts\n"));
  CHECK(completed("npurt run --ins", 2) == "--insts\n");
  CHECK(completed("npurt pack --kernel x", 3) == "\n");
  CHECK(contains(completed("npurt inspect npurt.b", 2), "npurt.bash\n"));
  CHECK(completed("npurt completion b", 2) == "bash\n");
  CHECK(completed("npurt manual hw", 2) == "hw-check\n");
}

TEST_CASE("the other tools complete their options, subcommands and commands in bash", "[tools]") {
  const scratch_folder folder;
  const auto completed = [&](const std::string& tool, const std::string& words, int at) {
    std::string function = "_" + tool + "_complete";
    std::ranges::replace(function, '-', '_');
    folder.write("ask.bash", "source " NPURT_COMPLETIONS "/" + tool + ".bash\nCOMP_WORDS=(" + words + ")\nCOMP_CWORD=" +
                                 std::to_string(at) + "\n" + function + "\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n");
    const auto done = folder.run("bash ask.bash");
    CHECK(done.err.empty());
    return done.out;
  };
  CHECK(completed("npurt-as", "npurt-as --li", 1) == "--listing\n");
  CHECK(contains(completed("npurt-as", "npurt-as ask", 1), "ask.bash\n"));
  CHECK(completed("npurt-insts", "npurt-insts matmul-i8-i3", 1) == "matmul-i8-i32\n");
  CHECK(completed("npurt-insts", "npurt-insts matmul-i8 --ou", 2) == "--output\n");
  CHECK(completed("npurt-emu", "npurt-emu --sta", 1) == "--stats\n");
  CHECK(contains(completed("npurt-emu", "npurt-emu pri", 1), "printf\n"));
}

// That these shells complete with it, ./dev package --test shows, where they are installed.
TEST_CASE("npurt writes completions for zsh and fish, and for no other shell", "[tools]") {
  const scratch_folder folder;
  const auto zsh = folder.run(command + "completion zsh");
  CHECK(zsh.code == 0);
  CHECK(zsh.out.starts_with("#compdef npurt\n"));
  CHECK(contains(zsh.out, "\n        'hw-check:Run every operation on the NPU"));
  CHECK(contains(zsh.out, "'--insts[Control code: words, or hexadecimal text]:FILE:_files'"));
  CHECK(contains(zsh.out, "'*--arg[A data buffer of the kernel;"));
  CHECK(contains(zsh.out, ":NAME\\:bo: '"));
  CHECK(contains(zsh.out, "'1:SHELL:(bash zsh fish)'"));
  const auto fish = folder.run(command + "completion fish");
  CHECK(fish.code == 0);
  CHECK(contains(fish.out, " -a doctor -d 'Whether calls can work on this machine"));
  CHECK(contains(fish.out, "complete -c npurt -n '__npurt_at run' -l insts -r -F -d 'Control code"));
  CHECK(contains(fish.out, "complete -c npurt -n '__npurt_at run' -l repeat -x -d "));
  CHECK(contains(fish.out, "complete -c npurt -n '__npurt_at pack' -s o -l output -r -F -d "));
  CHECK(contains(fish.out, "-n '__npurt_at completion' -a 'bash zsh fish'"));
  CHECK(folder.run(command + "completion tcsh").code == 2);
}
