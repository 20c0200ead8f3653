#import <objc/objc.h>

/// Takes methods away that are newer than the macOS which the library claims to be, of the classes that are concerned.
/// Before any message to them.
void hide_newer_methods(BOOL (*isConcerned)(const char *owner));
