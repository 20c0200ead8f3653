import { fileURL } from "../objc/mod.ts";
import type { ClassName } from "./selectors.ts";
import { VZClass, VZObject } from "./vz_object.ts";

/** A folder of the host's. macOS 12. */
export class VZSharedDirectory extends VZObject<"VZSharedDirectory"> {
  static override readonly api = new VZClass("VZSharedDirectory", "A shared folder");

  static create(path: string, readOnly: boolean): VZSharedDirectory {
    using url = fileURL(path);
    return new this(this.api.create("initWithURL:readOnly:", url, readOnly));
  }
}

/** What a guest finds under a tag. */
export abstract class VZDirectoryShare<C extends ClassName = ClassName> extends VZObject<C> {}

/** One folder. macOS 12. */
export class VZSingleDirectoryShare extends VZDirectoryShare<"VZSingleDirectoryShare"> {
  static override readonly api = new VZClass("VZSingleDirectoryShare", "A shared folder");

  static create(directory: VZSharedDirectory): VZSingleDirectoryShare {
    return new this(this.api.create("initWithDirectory:", directory));
  }
}

/** Several folders, each as a folder of its name. macOS 12. */
export class VZMultipleDirectoryShare extends VZDirectoryShare<"VZMultipleDirectoryShare"> {
  static override readonly api = new VZClass("VZMultipleDirectoryShare", "Shared folders under one tag");

  /** @throws {NSError} When a name is none that a folder can have. */
  static create(directories: ReadonlyMap<string, VZSharedDirectory>): VZMultipleDirectoryShare {
    for (const name of directories.keys()) this.api.send("validateName:error:", name);
    return new this(this.api.create("initWithDirectories:", directories));
  }
}

/** VZLinuxRosettaAvailability, by value. */
const AVAILABILITY = ["notSupported", "notInstalled", "installed"] as const;

/** Rosetta, which lets Linux on Apple silicon run x86_64 programs. macOS 13. */
export class VZLinuxRosettaDirectoryShare extends VZDirectoryShare<"VZLinuxRosettaDirectoryShare"> {
  static override readonly api = new VZClass("VZLinuxRosettaDirectoryShare", "Rosetta");

  /** Whether this computer has it. */
  static get availability(): typeof AVAILABILITY[number] {
    return AVAILABILITY[Number(this.api.send("availability"))];
  }

  /**
   * Installs it, which asks the user.
   *
   * @throws {NSError} When it cannot be, or the user does not want it.
   */
  static async install(): Promise<void> {
    await this.api.complete("installRosettaWithCompletionHandler:");
  }

  /** @throws {NSError} When it is not installed. */
  static create(): VZLinuxRosettaDirectoryShare {
    return new this(this.api.create("initWithError:"));
  }
}

/** `mount -t virtiofs TAG /mnt`. macOS 12. */
export class VZVirtioFileSystemDeviceConfiguration extends VZObject<"VZVirtioFileSystemDeviceConfiguration"> {
  static override readonly api = new VZClass("VZVirtioFileSystemDeviceConfiguration", "A shared folder");

  /** @throws {NSError} When the tag is empty or too long. */
  static create(tag: string, share: VZDirectoryShare): VZVirtioFileSystemDeviceConfiguration {
    this.api.send("validateTag:error:", tag);
    const device = new this(this.api.create("initWithTag:", tag));
    device.send("setShare:", share);
    return device;
  }
}
