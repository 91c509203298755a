// SPDX-License-Identifier: Apache-2.0
// Faults on demand as text: NPURT_EMU_FAULT, or npurt_emulator_set_faults().
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace npurt::emu::driver {

/// Which of the events of a kind, counted from 1: N, N-M, or N+ (N and all later ones).
struct occurrence {
  std::uint64_t first = 1, last = 1;
  bool contains(std::uint64_t number) const { return first <= number && number <= last; }
};

struct ioctl_fault {
  std::string name;  ///< "any" or one of ioctl_names
  occurrence when;
  int error = 0;  ///< errno
};

/// What becomes of a command. dma_error: its DMAs find no host memory. lost: it neither runs nor ends until its context
/// is destroyed. abort and timeout take the context's pending commands along, as the driver's reset does.
enum class command_fault : std::uint8_t { none, error, timeout, abort, lost, dma_error };

struct command_fault_rule {
  occurrence when;
  command_fault fault{};
};

/// What happens to the whole device. gone: it disappears, or its driver is unloaded; files that are open then are
/// ENODEV for ever, commands are aborted. reset: commands are aborted, and contexts made before are dead: EIO
/// (xdna-driver aie2_ctx_runqueue.c, a context that cannot be restarted). suspend: commands end, then contexts lose
/// what the array holds, which is configured anew with the next command (aie2_pm.c, aie2_hwctx_suspend and _resume; the
/// driver also does so by itself, when it was idle for 5 s).
enum class device_event : std::uint8_t { none, gone, reset, suspend };

struct device_fault {
  std::uint64_t at_ioctl = 0;  ///< happens before this ioctl
  device_event what = device_event::none;
  std::optional<std::uint64_t> opens{};  ///< gone: opens that fail before it is back; nothing: it never is
};

using firmware_version = std::array<std::uint32_t, 4>;

/// Faults are separated by ';':
///
///     ioctl:NAME@WHEN=ERRNO     NAME: create_bo, exec_cmd, ..., any; ERRNO: a name (EIO) or number
///     command@WHEN=WHAT         error, timeout, abort, lost, dma_error; commands are counted as they are submitted
///     memory=SIZE               buffer objects get ENOMEM beyond SIZE bytes altogether (suffix K, M, G)
///     device@N=gone             at the N-th ioctl the device disappears
///     device@N=gone:K           the same; after K opens that fail with ENODEV it is back
///     device@N=restart          the driver is restarted: gone:0
///     device@N=reset            at the N-th ioctl the device is reset
///     device@N=suspend          at the N-th ioctl it has been suspended and resumed
///     firmware=A.B.C.D          the version that the driver tells
///     firmware=old              the driver refuses the firmware's protocol: there is no device (at start only)
///
/// WHEN: N, N-M or N+, counted from 1 since the plan was set.
struct fault_plan {
  std::vector<ioctl_fault> ioctls;
  std::vector<command_fault_rule> commands;
  std::optional<std::uint64_t> memory;
  std::optional<device_fault> device;
  std::optional<firmware_version> firmware;
  bool firmware_too_old = false;

  /// @return a sentence about what cannot be read
  static std::expected<fault_plan, std::string> parse(std::string_view text);
};

/// The name of an ioctl by its number (_IOC_NR); empty if the driver has none of that number.
std::string_view ioctl_name(unsigned number);

}  // namespace npurt::emu::driver
