// What GNUstep's AppKit is told, so that a window is what a Mac's program expects of one; a user's own defaults win.
#import <AppKit/AppKit.h>
#import <dlfcn.h>

// EWMH: whoever manages windows has this property on the root window. A loop over libX11's own names, which no package
// that is needed otherwise has headers of.
static BOOL window_manager_runs(void) {
    void *library = dlopen("libX11.so.6", RTLD_LAZY | RTLD_LOCAL);
    if (!library) return NO;
    void *(*open_display)(const char *) = (void *(*)(const char *))dlsym(library, "XOpenDisplay");
    int (*close_display)(void *) = (int (*)(void *))dlsym(library, "XCloseDisplay");
    unsigned long (*root_window)(void *) = (unsigned long (*)(void *))dlsym(library, "XDefaultRootWindow");
    unsigned long (*intern_atom)(void *, const char *, int) = (unsigned long (*)(void *, const char *, int))dlsym(library, "XInternAtom");
    unsigned long *(*list_properties)(void *, unsigned long, int *) =
        (unsigned long *(*)(void *, unsigned long, int *))dlsym(library, "XListProperties");
    int (*free_list)(void *) = (int (*)(void *))dlsym(library, "XFree");
    void *display = open_display(NULL);
    if (!display) return NO;
    unsigned long check = intern_atom(display, "_NET_SUPPORTING_WM_CHECK", 1);
    int count = 0;
    unsigned long *properties = list_properties(display, root_window(display), &count);
    BOOL runs = NO;
    for (int i = 0; i < count; i++) runs |= check != 0 && properties[i] == check;
    if (properties) free_list(properties);
    close_display(display);
    return runs;
}

@interface AppKitDefaults : NSObject
@end

@implementation AppKitDefaults

+ (void)load {
    NSAutoreleasePool *pool = [[NSAutoreleasePool alloc] init];
    [[NSUserDefaults standardUserDefaults] registerDefaults:@{
        // The menu in the window, and no miniature of the application on the root window.
        @"NSMenuInterfaceStyle" : @"NSWindows95InterfaceStyle",
        @"GSSuppressAppIcon" : @"YES",
        // Where nobody draws frames around windows, AppKit does.
        @"GSX11HandlesWindowDecorations" : window_manager_runs() ? @"YES" : @"NO",
    }];
    [pool release];
}

@end
