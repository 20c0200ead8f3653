"""What Debian's cloud-init makes of a seed's image, or of user-data, as JSON. Nothing of it is mounted, for which one has to be root.

nocloud.py seed IMAGE...: what its source NoCloud finds on each
nocloud.py user-data FILE...: of each, the types of its parts, and whether a cloud-config in it is read
"""

import json
import logging
import subprocess
import sys
import tempfile

sys.path.insert(0, sys.prefix + "/lib/python3/dist-packages")

from cloudinit import helpers, safeyaml, user_data, util
from cloudinit.sources import DataSourceNoCloud


def find_devs_with(criteria):
    """As blkid says it of the image, in the place of all devices."""
    key, value = criteria.split("=")
    command = ["/sbin/blkid", "-p", "-o", "value", "-s", key, image]
    found = subprocess.run(command, stdout=subprocess.PIPE, text=True).stdout.strip()
    return [image] if found == value else []


def mount_cb(device, callback, data=None, **_):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["mcopy", "-s", "-i", device, "::", folder + "/volume"], check=True)
        return callback(folder + "/volume", data)


def seed():
    util.find_devs_with = find_devs_with
    util.mount_cb = mount_cb
    DataSourceNoCloud.dmi.read_dmi_data = lambda _: None
    DataSourceNoCloud.load_cmdline_data = lambda *_: False
    with tempfile.TemporaryDirectory() as folder:
        paths = helpers.Paths({"cloud_dir": folder, "run_dir": folder})
        source = DataSourceNoCloud.DataSourceNoCloud({}, None, paths)
        found = source._get_data()
        text = lambda raw: util.decode_binary(util.decomp_gzip(raw, decode=False)) if raw else None
        return {
            "found": found,
            "instance": source.get_instance_id(),
            "host": source.metadata.get("local-hostname"),
            "userData": text(source.userdata_raw),
            "vendorData": text(source.vendordata_raw),
            "networkConfig": source.network_config,
        }


def read(file):
    with tempfile.TemporaryDirectory() as folder:
        paths = helpers.Paths({"cloud_dir": folder, "run_dir": folder})
        with open(file, "rb") as opened:
            message = user_data.UserDataProcessor(paths).process(opened.read())
    parts = [part for part in message.walk() if part.get_content_maintype() != "multipart"]
    configs = [part for part in parts if part.get_content_type() == "text/cloud-config"]
    read = [safeyaml.load(util.fully_decoded_payload(part)) for part in configs]
    isRead = all(value is None or isinstance(value, dict) for value in read)
    return {"types": [part.get_content_type() for part in parts], "isRead": isRead}


logging.disable()
result = []
for image in sys.argv[2:]:
    try:
        result.append(seed() if sys.argv[1] == "seed" else read(image))
    except Exception as error:
        result.append({"types": [], "isRead": False, "error": str(error)})
print(json.dumps(result))
