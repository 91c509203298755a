# SPDX-License-Identifier: Apache-2.0
"""pyxrt on the emulated device: opens it, and writes and reads a buffer."""
import pyxrt

device = pyxrt.device(0)
name = device.get_info(pyxrt.xrt_info_device.name)
assert name == "NPU Phoenix", name

data = bytes(range(256)) * 16
bo = pyxrt.bo(device, len(data), pyxrt.bo.flags.host_only, 0x10000)
bo.write(data, 0)
bo.sync(pyxrt.xclBOSyncDirection.XCL_BO_SYNC_BO_TO_DEVICE, len(data), 0)
bo.sync(pyxrt.xclBOSyncDirection.XCL_BO_SYNC_BO_FROM_DEVICE, len(data), 0)
assert bytes(bo.read(len(data), 0)) == data
