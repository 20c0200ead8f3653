/**
 * Where the system wants files that can be made again.
 *
 * @param os Deno.build.os.
 * @param env These variables of the environment.
 * @returns Nothing when the environment does not tell.
 *
 * Sources: the XDG Base Directory Specification; Apple's File System Programming Guide.
 */
export function cacheFolder(os: string, env: { HOME?: string; XDG_CACHE_HOME?: string }): string | undefined {
  if (os !== "darwin" && env.XDG_CACHE_HOME?.startsWith("/")) return `${env.XDG_CACHE_HOME}/vzrun`;
  return env.HOME?.startsWith("/")
    ? `${env.HOME}/${os === "darwin" ? "Library/Caches" : ".cache"}/vzrun`
    : undefined;
}

/** The same on this system, for whose process this is; nothing when no files can be made there. It is made when missing. */
export function ownCacheFolder(): string | undefined {
  const folder = cacheFolder(Deno.build.os, {
    HOME: Deno.env.get("HOME"),
    XDG_CACHE_HOME: Deno.env.get("XDG_CACHE_HOME"),
  });
  try {
    if (folder === undefined) return undefined;
    Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
    Deno.removeSync(Deno.makeTempDirSync({ dir: folder }));
    return folder;
  } catch {
    return undefined;
  }
}
