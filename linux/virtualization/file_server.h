#import "child_process.h"

@class VZDirectoryShare;

/// A virtiofsd that has a share's folder, or folders, for one guest. It ends when its connection does.
/// @param connection QEMU's end, the caller's to close.
/// @return nil with an error when it cannot be made. It is not started yet.
ChildProcess *file_server(VZDirectoryShare *share, NSString *tag, int *connection, NSError **error);

/// Whether each folder of a share can be listed: with what is in it virtiofsd helps itself.
BOOL check_folders(VZDirectoryShare *share, NSError **error);
