//! The line icons, read from `assets/icons/` when Codex is built (Lucide, ISC).

macro_rules! icons {
    ($($name:literal)*) => {
        /// The markup of an icon; nothing for a name that we do not have (a test walks the templates).
        pub(super) fn svg(name: &str) -> &'static str {
            match name {
                $($name => include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/icons/", $name, ".svg")),)*
                _ => "",
            }
        }
    };
}

icons! {
    "archive-restore" "archive" "arrow-down" "arrow-up" "building-2" "check" "chevron-down"
    "chevron-left" "chevron-right" "circle-alert" "circle-check" "circle-minus" "clock" "columns-3"
    "copy" "corner-down-right" "credit-card" "download" "ellipsis" "external-link" "file-text" "globe" "hand"
    "history" "house" "info" "key-round" "keyboard" "laptop" "layout-dashboard" "link" "list-filter"
    "log-out" "mail" "map-pin" "monitor" "moon" "pencil" "phone" "pin-off" "pin" "plus" "printer"
    "refresh-cw" "router" "search" "server" "settings" "shield-check" "shield" "smartphone" "star"
    "sun-moon" "sun" "terminal" "ticket" "trash-2" "triangle-alert" "undo-2" "unlink" "upload" "user-round-x" "user"
    "users" "x"
}
