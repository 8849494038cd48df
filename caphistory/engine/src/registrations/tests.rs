//! Under which names functions are registered.

use std::collections::HashSet;
use std::sync::Arc;

use super::*;
use crate::facts::Blob;
use crate::folders::I386;
use crate::names::Program;
use crate::reader::{Store, read};

/// The names of `f` when it is called by way of `via`, in a file with these declarations.
fn names(via: &str, text: &str) -> String {
    let store = Store::new();
    let blob: Arc<Blob> = Arc::new(read(format!("{TYPES}{text}").as_bytes(), &store));
    let files = vec![("kernel/a.c".to_owned(), blob)];
    let program = Program::new(&files);
    let view = View::new(&program, I386, "6.8", &HashSet::new());
    let pointers = PointsTo::solve(&view);
    let registrations = Registrations::new(&pointers);
    let callee = program.by_name.get(Sym::new("f"))[0];
    let found = registrations.names(callee, Sym::new(via));
    let found: Vec<&str> = found.iter().map(|name| name.text()).collect();
    found.join(" ")
}

const TYPES: &str = "struct file_operations { int (*read)(int); int (*write)(int); };\n\
    struct proc_ops { int (*proc_open)(int); int (*proc_write)(int); };\n\
    struct seq_operations { int (*start)(int); int (*show)(int); };\n\
    struct miscdevice { int minor; char *name; struct file_operations *fops; };\n\
    struct ctl_table { char *procname; int mode; struct ctl_table *child;\n\
      int (*proc_handler)(int); };\n\
    struct attribute { char *name; int mode; };\n\
    struct device_attribute { struct attribute attr; int (*show)(int); int (*store)(int); };\n\
    struct rtnl_link { int (*doit)(int); int (*dumpit)(int); };\n\
    struct rtnetlink_link { int (*doit)(int); int (*dumpit)(int); };\n\
    struct genl_ops { int cmd; int (*doit)(int); };\n\
    struct nfnl_callback { int (*call)(int); };\n\
    struct drm_ioctl_desc { int cmd; int (*func)(int); };\n\
    struct net_proto_family { int family; int (*create)(int); };\n\
    struct proc_dir_entry { int low_ino; char *name; int (*write_proc)(int); };\n\
    union proc_op { int (*proc_show)(int); };\n\
    struct pid_entry { char *name; int mode; struct file_operations *fop; union proc_op op; };\n\
    struct other { char *name; int kind; int (*call)(int); };\n\
    static int f(int x) { return x; }\n\
    static int g(int x) { return x; }\n";

#[test]
fn a_string_in_the_registering_call_names_what_is_in_the_object() {
    let text = "static struct proc_ops ops = { .proc_open = f };\n\
        static struct proc_ops others = { .proc_open = g };\n\
        void init(void) { proc_create(\"others\", 0, NULL, &others);\n\
          proc_create(\"kallsyms\", 0444, NULL, &ops); }\n";
    assert_eq!(names("proc_ops.proc_open", text), "/proc/kallsyms");
    let nobody = "static struct proc_ops ops = { .proc_open = f };\n\
        void init(void) { note(\"kallsyms\", 0444, NULL, &ops); }\n";
    assert_eq!(names("proc_ops.proc_open", nobody), "");
}

#[test]
fn files_of_proc_stand_in_their_folders() {
    let of = |call: &str| {
        let text = format!(
            "static struct file_operations ops = {{ .write = f }};\n\
            struct proc_dir_entry *bm; void init(void) {{ struct proc_dir_entry *dir;\n\
            bm = proc_mkdir(\"fs/binfmt\", NULL); dir = proc_mkdir(\"mine\", NULL);\n{call} }}\n"
        );
        names("file_operations.write", &text)
    };
    assert_eq!(of("proc_create(\"x\", 0, bm, &ops);"), "/proc/fs/binfmt/x");
    assert_eq!(of("proc_create(\"x\", 0, dir, &ops);"), "/proc/mine/x");
    assert_eq!(
        of("proc_create(\"x\", 0, net->proc_net, &ops);"),
        "/proc/net/x"
    );
    assert_eq!(of("proc_create(\"x\", 0, net->mine, &ops);"), "/proc/**/x");
    assert_eq!(
        of("proc_net_fops_create(net, \"x\", 0, &ops);"),
        "/proc/net/x"
    );
}

#[test]
fn what_is_below_a_folder_without_a_name_is_below_the_one_above() {
    let of = |folder: &str| {
        let text = format!(
            "static struct file_operations ops = {{ .write = f }};\n\
            struct proc_dir_entry *pci; void attach(char *name) {{\n\
            struct proc_dir_entry *de, *e; de = create_proc_entry(name, S_IFDIR, {folder});\n\
            e = create_proc_entry(name, S_IFREG, de); e->proc_fops = &ops; }}\n\
            void init(void) {{ pci = create_proc_entry(\"pci\", S_IFDIR, proc_bus); }}\n"
        );
        names("file_operations.write", &text)
    };
    assert_eq!(of("pci"), "/proc/bus/pci/**");
    assert_eq!(of("find()"), "/proc/**");
}

#[test]
fn a_folder_that_is_handed_is_the_one_that_all_others_hand() {
    let of = |more: &str| {
        let text = format!(
            "static struct file_operations ops = {{ .write = f }};\n\
            struct proc_dir_entry *top, *own;\n\
            static void add(struct table *t, struct proc_dir_entry *root) {{\n\
            struct proc_dir_entry *de; de = create_proc_entry(t->name, 0, root);\n\
            de->proc_fops = &ops; add(t->child, de); }}\n\
            void init(void) {{ top = proc_mkdir(\"sys\", NULL); own = proc_mkdir(\"my\", NULL);\n\
            add(all, top); {more} }}\n"
        );
        names("file_operations.write", &text)
    };
    assert_eq!(of(""), "/proc/sys/**");
    assert_eq!(of("add(others, top);"), "/proc/sys/**");
    assert_eq!(of("add(others, own);"), "/proc/**");
    assert_eq!(of("add(others, find());"), "/proc/**");
}

#[test]
fn what_is_set_in_a_new_entry_is_named_as_it() {
    let text = "void init(void) { struct proc_dir_entry *e, *o;\n\
        o = create_proc_entry(\"other\", 0, NULL); e = create_proc_entry(\"mtrr\", 0, NULL);\n\
        o->write_proc = g; e->write_proc = f; }\n";
    assert_eq!(names("proc_dir_entry.write_proc", text), "/proc/mtrr");
    let text = "struct proc_dir_entry *own;\nvoid init(void) { own = create_proc_entry(\"mtrr\",\n\
        0, &proc_root); if (own) { own->owner = THIS_MODULE; own->write_proc = f; } }\n";
    assert_eq!(names("proc_dir_entry.write_proc", text), "/proc/mtrr");
    let text = "void init(void) { create_proc_entry(\"mtrr\", 0, 0)->write_proc = f; }\n";
    assert_eq!(names("proc_dir_entry.write_proc", text), "/proc/mtrr");
}

#[test]
fn who_reads_an_open_file_is_named_as_who_opens_it() {
    let text = "static struct seq_operations seq = { .show = f };\n\
        static int my_open(int x) { return seq_open(x, &seq); }\n\
        static struct proc_ops ops = { .proc_open = my_open };\n\
        void init(void) { proc_create(\"mine\", 0, NULL, &ops); }\n";
    assert_eq!(names("seq_operations.show", text), "/proc/mine");
    assert_eq!(
        names("seq_operations.show", &text.replace("seq_open", "close")),
        ""
    );
}

#[test]
fn sysctls_stand_in_the_folder_of_their_table() {
    let table = "static struct ctl_table my_table[] = {\n\
        { .procname = \"one\", .proc_handler = g },\n\
        { .procname = \"two\", .proc_handler = f },\n{ } };\n";
    let of = |more: &str| names("ctl_table.proc_handler", &format!("{table}{more}"));
    assert_eq!(of(""), "/proc/sys/**/two");
    assert_eq!(
        of("void init(void) { register_sysctl(\"kernel\", my_table); }\n"),
        "/proc/sys/kernel/two"
    );
    assert_eq!(
        of("static struct ctl_table root[] = {\n\
            { .procname = \"other\", .child = 0 },\n\
            { .procname = \"fs\", .child = my_table } };\n\
            void init(void) { register_sysctl_table(root); }\n"),
        "/proc/sys/fs/two"
    );
    assert_eq!(
        of(
            "void init(void) { struct ctl_table *t = kmemdup(my_table, 10, 0);\n\
            register_net_sysctl(net, \"net/ipv4\", t); }\n"
        ),
        "/proc/sys/net/ipv4/two"
    );
}

#[test]
fn devices_have_the_names_that_they_are_registered_under() {
    let ops = "static struct file_operations ops = { .write = f };\n";
    let of = |more: &str| names("file_operations.write", &format!("{ops}{more}"));
    let positional = "static struct miscdevice m = { MY_MINOR, \"nvram\", &ops };\n";
    assert_eq!(of(positional), "/dev/nvram");
    let designated = "static struct miscdevice m = { .name = \"fuse\", .fops = &ops };\n";
    assert_eq!(of(designated), "/dev/fuse");
    let registered = "void init(void) { register_chrdev(MY_MAJOR, \"lp\", &ops); }\n";
    assert_eq!(of(registered), "/dev/lp");
    assert_eq!(
        of("static struct miscdevice m = { .name = \"fuse\" };\n"),
        ""
    );
}

#[test]
fn a_constant_may_be_the_name() {
    let of = |more: &str| {
        let ops = "static struct file_operations ops = { .write = f };\n";
        names(
            "file_operations.write",
            &format!(
                "{more}{ops}static struct miscdevice m = {{\n\
            .minor = MY_MINOR, .name = MY_NAME, .fops = &ops }};\n"
            ),
        )
    };
    assert_eq!(of("#define MY_NAME \"mine\"\n"), "/dev/mine");
    assert_eq!(of("#define MY_OTHER \"mine\"\n"), "");
}

#[test]
fn names_in_an_array_are_those_that_a_call_is_handed() {
    let of = |call: &str| {
        let text = format!(
            "static struct file_operations ops = {{ .write = f }};\n\
            struct leaf {{ char *name; struct file_operations *fops; }};\n\
            static struct leaf leaves[] = {{ {{ \"mine\", &ops }} }};\n\
            static struct proc_dir_entry *dir;\n\
            void init(void) {{ struct leaf *leaf; int i; {call} }}\n"
        );
        names("file_operations.write", &text)
    };
    assert_eq!(
        of("proc_create(leaf->name, 0, NULL, leaf->fops);"),
        "/proc/mine"
    );
    assert_eq!(
        of("create_proc_entry(leaves[i].name, 0, dir);"),
        "/proc/**/mine"
    );
    assert_eq!(
        of("device_create(c, NULL, i, NULL, leaf->name);"),
        "/dev/mine"
    );
    assert_eq!(of("note(leaf->name, 0, NULL, leaf->fops);"), "");
}

#[test]
fn a_device_is_named_where_its_numbers_are_taken() {
    let of = |more: &str| {
        let text = format!(
            "static struct file_operations ops = {{ .write = f }};\nstruct cdev c;\n\
            void init(void) {{ struct cdev *d; int dev; {more} }}\n"
        );
        names("file_operations.write", &text)
    };
    assert_eq!(
        of(
            "cdev_init(&c, &ops);\nregister_chrdev_region(dev, 1, \"/dev/one\");\n\
            register_chrdev_region(dev, 1, \"two\");"
        ),
        "/dev/one"
    );
    assert_eq!(
        of("d = cdev_alloc(); d->ops = &ops; alloc_chrdev_region(&dev, 0, 1, \"one\");"),
        "/dev/one"
    );
    assert_eq!(
        of("cdev_init(&c, &ops); register_chrdev_region(dev, 1, name);"),
        "/dev/**"
    );
    assert_eq!(of("cdev_init(&c, &ops);"), "");
}

#[test]
fn of_a_file_whose_name_nobody_knows_the_folder_is_told() {
    let of = |more: &str| {
        let text = format!(
            "static struct file_operations ops = {{ .write = f }};\n\
            struct proc_dir_entry *bus;\nvoid init(char *name, struct card *c) {{\n\
            struct proc_dir_entry *e, *dir; bus = proc_mkdir(\"bus\", NULL);\n\
            dir = c->dir = proc_mkdir(name, bus); {more} }}\n"
        );
        names("file_operations.write", &text)
    };
    let made = "e = c->e = create_proc_entry(name, 0, dir); e->proc_fops = &ops;";
    assert_eq!(of(made), "/proc/bus/**");
    let known = "proc_create(\"one\", 0, bus, &ops);";
    assert_eq!(of(&format!("{made}{known}")), "/proc/bus/one");
    assert_eq!(of("register_blkdev(1, c->name, &ops);"), "/dev/**");
    assert_eq!(of("unregister_blkdev(1, c->name, &ops);"), "");
}

#[test]
fn files_of_securityfs_stand_in_their_folders() {
    let of = |more: &str| {
        let text = format!(
            "struct dentry {{ int x; }};\nstatic struct file_operations ops = {{ .write = f }};\n\
            static struct dentry *top, *dir, *other, *here;\n\
            void init(char *name, struct dentry *parent) {{\n\
            top = securityfs_create_dir(\"top\", NULL); dir = securityfs_create_dir(\"dir\", top);\n\
            {more} }}\n"
        );
        names("file_operations.write", &text)
    };
    let made = |folder: &str| {
        of(&format!(
            "here = securityfs_create_file(\"one\", 0600, {folder}, NULL, &ops);"
        ))
    };
    assert_eq!(made("NULL"), "/sys/kernel/security/one");
    assert_eq!(made("dir"), "/sys/kernel/security/top/dir/one");
    assert_eq!(made("other"), "/sys/kernel/security/**/one");
    assert_eq!(made("parent"), "/sys/kernel/security/**/one");
    assert_eq!(made("entry.dentry"), "/sys/kernel/security/**/one");
    let unknown = "securityfs_create_file(name, 0600, parent, NULL, &ops);";
    assert_eq!(of(unknown), "/sys/kernel/security/**");
}

#[test]
fn a_folder_of_securityfs_is_handed_to_who_makes_its_files() {
    let of = |folder: &str| {
        names(
            "file_operations.write",
            &format!(
                "static struct file_operations ops = {{ .write = f }};\n\
                static void make(char *name, struct dentry *parent) {{\n\
                securityfs_create_file(name, 0600, parent, NULL, &ops); }}\n\
                void init(struct dentry *other) {{ struct dentry *dir;\n\
                dir = {folder};\n\
                make(\"one\", dir); make(\"two\", dir); }}\n"
            ),
        )
    };
    let top = "securityfs_create_dir(\"top\", NULL)";
    assert_eq!(of(top), "/sys/kernel/security/top/**");
    let within = "securityfs_create_dir(\"top\", other)";
    assert_eq!(of(within), "/sys/kernel/security/**");
    assert_eq!(of("find(\"top\", NULL)"), "/sys/kernel/security/**");
}

#[test]
fn files_of_debugfs_stand_in_folders_whose_names_are_all_known() {
    let of = |folder: &str| {
        names(
            "file_operations.write",
            &format!(
                "static struct file_operations ops = {{ .write = f }};\n\
                static struct dentry *top, *other;\n\
                void init(struct dentry *parent) {{\n\
                struct dentry *dir = debugfs_create_dir(\"dir\", NULL);\n\
                struct dentry *below = debugfs_create_dir(\"below\", dir);\n\
                top = debugfs_create_dir(\"top\", NULL);\n\
                debugfs_create_file(\"one\", 0600, {folder}, NULL, &ops); }}\n"
            ),
        )
    };
    assert_eq!(of("top"), "/sys/kernel/debug/top/one");
    assert_eq!(of("dir"), "/sys/kernel/debug/dir/one");
    for unknown in ["below", "other", "parent", "NULL", "entry.dentry"] {
        assert_eq!(of(unknown), "/sys/kernel/debug/**/one");
    }
}

#[test]
fn what_a_macro_makes_a_table_of_serves_its_files() {
    let of = |table: &str| {
        names(
            "simple_attr.set",
            &format!(
                "struct simple_attr {{ int (*set)(int); }};\n\
                DEFINE_SIMPLE_ATTRIBUTE({table}, NULL, f, \"x\\n\");\n\
                static struct file_operations known;\n\
                void init(void) {{\n\
                debugfs_create_file(\"known\", 0600, NULL, NULL, &known);\n\
                debugfs_create_file(\"one\", 0600, NULL, NULL, &ops); }}\n"
            ),
        )
    };
    assert_eq!(of("ops"), "/sys/kernel/debug/**/one");
    assert_eq!(of("known"), "");
    assert_eq!(of("others"), "");
}

#[test]
fn who_makes_files_for_others_is_handed_their_names() {
    let of = |body: &str, call: &str| {
        let text = format!(
            "struct inode {{ struct file_operations *i_fop, *other; }};\n\
            static struct file_operations ops = {{ .write = f }}, others = {{ .write = g }};\n\
            static int add(struct inode *inode, char *name, struct file_operations *fops)\n\
            {{ {body} }}\n\
            static int make(struct inode *dir, char *name, struct file_operations *fops)\n\
            {{ return add(dir, name, fops); }}\n\
            void init(struct inode *dir, char *name) {{\n\
            make(dir, \"others\", &others); {call} }}\n"
        );
        names("file_operations.write", &text)
    };
    let make = "make(dir, \"one\", &ops);";
    assert_eq!(of("inode->i_fop = fops;", make), "**/one");
    assert_eq!(of("inode->other = fops;", make), "");
    assert_eq!(of("inode->i_fop = &others;", make), "");
    assert_eq!(of("inode->i_fop = fops;", "make(dir, name, &ops);"), "");
    let told = format!("{make} proc_create(\"one\", 0, NULL, &ops);");
    assert_eq!(of("inode->i_fop = fops;", &told), "/proc/one");
    assert_eq!(
        of("proc_create(name, 0, NULL, fops);", make),
        "/proc/**/one"
    );
    assert_eq!(of("cdev_init(inode->dev, fops);", make), "/dev/**");
    assert_eq!(
        of("cdev_init(inode->dev, fops);", "make(dir, name, &ops);"),
        ""
    );
}

#[test]
fn a_number_may_select_a_file() {
    let of = |body: &str| {
        let text = format!(
            "#define E(type, name, mode) {{ (type), sizeof(name) - 1, (name), (mode) }}\n\
            struct inode {{ struct file_operations *i_fop; }};\n\
            static struct file_operations ops = {{ .write = f }};\n\
            static struct pid_entry all[] = {{ E(PROC_TGID_MEM, \"mem\", 0600), E(PROC_TGID_MAPS, \"maps\", 4),\n\
            E(PROC_TGID_TWO, \"one\", 4), E(PROC_TGID_TWO, \"two\", 4) }};\n\
            void lookup(struct inode *dir, int type) {{ struct inode *inode = make(dir);\n\
            switch (type) {{ {body} }} }}\n"
        );
        names("file_operations.write", &text)
    };
    let set = "inode->i_fop = &ops; break;";
    assert_eq!(
        of(&format!(
            "case PROC_TGID_MAPS: break; case PROC_TGID_MEM: {set}"
        )),
        "/proc/PID/mem"
    );
    let both = format!("case PROC_TGID_MAPS: case PROC_TGID_MEM: {set}");
    assert_eq!(of(&both), "/proc/PID/maps /proc/PID/mem");
    assert_eq!(of(&format!("case PROC_TGID_MEM: default: {set}")), "");
    assert_eq!(of(&format!("case PROC_TGID_TWO: {set}")), "");
    assert_eq!(of(&format!("case OTHER: {set}")), "");
    let twice = format!("case PROC_TGID_MEM: {set} default: dir->i_fop = &ops;");
    assert_eq!(of(&twice), "");
}

#[test]
fn a_folder_may_have_more_files_of_a_kind() {
    let of = |lookup: &str| {
        let text = format!(
            "struct inode_operations {{ int (*readlink)(int); int (*lookup)(int); }};\n\
            struct inode {{ struct inode_operations *i_op; }};\n\
            static struct inode_operations link = {{ .readlink = f }};\n\
            static struct pid_entry all[] = {{ {{ PROC_TGID_EXE, 3, \"exe\", 4 }}, {{ PROC_TGID_FD, 2, \"fd\", 5 }} }};\n\
            void lookup_fd(struct inode *dir) {{ struct inode *inode = make(dir); inode->i_op = &link; }}\n\
            static struct inode_operations fd = {{ .lookup = {lookup} }};\n\
            void look(struct inode *dir, int type) {{ struct inode *inode = make(dir); switch (type) {{\n\
            case PROC_TGID_FD: inode->i_op = &fd; break;\n\
            case PROC_TGID_EXE: inode->i_op = &link; break; }} }}\n"
        );
        names("inode_operations.readlink", &text)
    };
    assert_eq!(of("lookup_fd"), "/proc/PID/exe /proc/PID/fd/**");
    assert_eq!(of("other"), "");
}

#[test]
fn folders_and_namespaces_have_names() {
    let folder = "struct inode_operations { int (*mkdir)(int); };\n\
        static struct inode_operations dir = { .mkdir = f };\n\
        void init(struct dentry *d) { aafs_create(\"namespaces\", 0755, d, NULL, NULL, NULL, &dir); }\n";
    assert_eq!(
        names("inode_operations.mkdir", folder),
        "/sys/kernel/security/**/namespaces"
    );
    let namespace = "struct proc_ns_operations { char *name; int (*install)(int); };\n\
        static struct proc_ns_operations one = { .name = \"mnt\", .install = f };\n";
    assert_eq!(
        names("proc_ns_operations.install", namespace),
        "/proc/PID/ns/mnt"
    );
}

#[test]
fn names_of_attributes_are_told_by_their_handlers() {
    let of = |type_: &str, member: &str| {
        let text = format!(
            "struct {type_} {{ char *name; char *prefix; int (*get)(int); }};\n\
            static struct {type_} one = {{ .{member} = XATTR_ONE, .get = f }};\n"
        );
        names(&format!("{type_}.get"), &text)
    };
    assert_eq!(of("xattr_handler", "prefix"), "XATTR_ONE");
    assert_eq!(of("xattr_handler", "name"), "XATTR_ONE");
    assert_eq!(of("ext2_xattr_handler", "prefix"), "XATTR_ONE");
    assert_eq!(of("other_handler", "prefix"), "");
}

#[test]
fn an_index_names_what_stands_there() {
    let text = "struct clock { int (*set)(int); };\nstruct task { struct clock *clock; };\n\
        static struct clock one = { .set = f };\n";
    let near = "static struct clock *all[] = { [CLOCK_ONE] = &one };\n";
    assert_eq!(names("clock.set", &format!("{text}{near}")), "CLOCK_ONE");
    let far = "static struct task task = { .clock = &one };\n\
        static struct task *all[] = { [TASK_ONE] = &task };\n";
    assert_eq!(names("clock.set", &format!("{text}{far}")), "");
}

#[test]
fn devices_stand_in_the_folder_that_a_call_is_handed() {
    let ops = "static struct file_operations ops = { .write = f };\nstatic void *dir;\n";
    let of = |more: &str| {
        let init = format!("void init(struct disk *d) {{ {more} }}\n");
        names("file_operations.write", &format!("{ops}{init}"))
    };
    assert_eq!(
        of("devfs_register(NULL, \"one\", 0, MAJOR, &ops);"),
        "/dev/one"
    );
    assert_eq!(
        of("devfs_register(d->de, \"one\", 0, MAJOR, &ops);"),
        "/dev/**/one"
    );
    assert_eq!(
        of("void *in = make(); devfs_register(in, \"one\", 0, MAJOR, &ops);"),
        "/dev/**/one"
    );
    assert_eq!(
        of("dir = devfs_mk_dir(NULL, \"cpu\", NULL); devfs_register(dir, \"one\", 0, M, &ops);"),
        "/dev/cpu/one"
    );
}

#[test]
fn a_protocol_is_of_the_family_beside_it() {
    let text = "struct proto { int (*connect)(int); };\n\
        struct proto_ops { int family; int (*bind)(int); };\n\
        struct inet_protosw { int type; struct proto *prot; struct proto_ops *ops; };\n\
        static struct proto_ops one = { .family = PF_INET, .bind = g };\n\
        static struct proto_ops other = { .family = PF_INET6, .bind = g };\n\
        static struct proto tcp = { .connect = f };\n\
        static struct proto udp = { .connect = g };\n\
        static struct inet_protosw all[] = { { .type = SOCK_STREAM, .prot = &tcp, .ops = &one },\n\
        { .type = SOCK_DGRAM, .prot = &udp, .ops = &other } };\n";
    assert_eq!(names("proto.connect", text), "PF_INET");
    let alone = text.replace(", .ops = &one", "");
    assert_eq!(names("proto.connect", &alone), "");
}

#[test]
fn attributes_are_files_of_sys() {
    let macros = "#define __ATTR(_name, _show, _store) { .attr = { .name = #_name },\\\n\
        .show = _show, .store = _store }\n\
        #define DEVICE_ATTR_WO(_name) struct device_attribute dev_attr_##_name =\\\n\
        { .attr = { .name = #_name }, .store = _name }\n";
    let of = |more: &str| names("device_attribute.store", &format!("{macros}{more}"));
    assert_eq!(of("static DEVICE_ATTR_WO(f);\n"), "/sys/**/f");
    assert_eq!(
        of("static struct device_attribute one = __ATTR(power, NULL, f);\n"),
        "/sys/**/power"
    );
    assert_eq!(
        of("static struct device_attribute one = { .attr = { .name = \"x\" }, .store = f };\n"),
        "/sys/**/x"
    );
    let owned = "static struct device_attribute dev_attr_y = {\n.attr = { .name = \"x\",\n\
        .owner = THIS_MODULE },\n.store = f };\n";
    assert_eq!(of(owned), "/sys/**/x");
}

#[test]
fn messages_are_what_their_handlers_are_registered_for() {
    assert_eq!(
        names(
            "rtnl_link.doit",
            "void init(void) { rtnl_register(PF_UNSPEC, RTM_GETLINK, g, NULL, 0);\n\
            rtnl_register(PF_UNSPEC, RTM_NEWLINK, f, NULL, 0); }\n"
        ),
        "NETLINK_ROUTE/RTM_NEWLINK"
    );
    assert_eq!(
        names(
            "genl_ops.doit",
            "static struct genl_ops all[] = { { .cmd = MY_GET, .doit = g },\n\
            { .cmd = MY_SET, .doit = f } };\n"
        ),
        "NETLINK_GENERIC/MY_SET"
    );
    assert_eq!(
        names(
            "nfnl_callback.call",
            "static struct nfnl_callback all[] = { [NFT_MSG_A] = { .call = g },\n\
            [NFT_MSG_B] = { .call = f }, };\n"
        ),
        "NETLINK_NETFILTER/NFT_MSG_B"
    );
}

#[test]
fn an_element_counts_from_the_constant_of_the_length() {
    let table = |length: &str| {
        format!(
            "#define RTM_BASE 0x10\n#define RTM_A (RTM_BASE+0)\n#define RTM_B (RTM_BASE+1)\n\
            #define RTM_MAX (RTM_BASE+9)\n\
            static struct rtnetlink_link table[{length}] = {{\n{{ g, NULL, }},\n{{ f, g, }} }};\n"
        )
    };
    let named = |length: &str| names("rtnetlink_link.doit", &table(length));
    assert_eq!(named("RTM_MAX-RTM_BASE+1"), "NETLINK_ROUTE/RTM_B");
    assert_eq!(named("8"), "");
}

#[test]
fn commands_select_the_elements_of_tables() {
    let of = |more: &str| names("drm_ioctl_desc.func", more);
    let macro_ = "#define DEF(ioctl, _func) [NR(ioctl)] = { .cmd = ioctl, .func = _func }\n\
        static struct drm_ioctl_desc all[] = { DEF(MY_GET, g),\nDEF(MY_SET, f) };\n";
    assert_eq!(of(macro_), "MY_SET");
    let indexed = "static struct drm_ioctl_desc all[] = { [NR(MY_SET)] = { 0, f } };\n";
    assert_eq!(of(indexed), "MY_SET");
    let pairs = "static struct other all[] = { { \"a\", MY_GET, g }, { \"b\", MY_SET, f } };\n";
    assert_eq!(names("other.call", pairs), "");
    let first = "static struct drm_ioctl_desc all[] = { { MY_GET, g }, { MY_SET, f } };\n";
    assert_eq!(of(first), "MY_SET");
    let one = "static struct drm_ioctl_desc one = { MY_SET, f };\n";
    assert_eq!(of(one), "");
}

#[test]
fn files_of_a_process() {
    let macros = "#define NOD(NAME, MODE, FOP, OP) { .name = (NAME), .mode = MODE,\\\n\
        .fop = FOP, .op = OP, }\n\
        #define REG(NAME, MODE, fops) NOD(NAME, MODE, &fops, {})\n\
        #define ONE(NAME, MODE, show) NOD(NAME, MODE, &single, { .proc_show = show } )\n\
        static struct file_operations single = { .read = g };\n\
        static struct file_operations mem = { .write = f };\n\
        static struct pid_entry all[] = { REG(\"mem\", 0600, mem),\nONE(\"stack\", 0400, f),\n\
        ONE(\"stat\", 0400, g), };\n";
    assert_eq!(names("file_operations.write", macros), "/proc/PID/mem");
    assert_eq!(names("proc_op.proc_show", macros), "/proc/PID/stack");
}

#[test]
fn a_family_is_what_its_sockets_are_made_for() {
    let text = "static struct net_proto_family one = { .family = PF_PACKET, .create = f };\n";
    assert_eq!(names("net_proto_family.create", text), "PF_PACKET");
    let text = text.replace("PF_PACKET", "PF_DECnet");
    assert_eq!(names("net_proto_family.create", &text), "PF_DECnet");
    let text = "static struct net_proto_family one = { .create = f };\n";
    assert_eq!(names("net_proto_family.create", text), "");
}
