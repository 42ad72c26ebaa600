import Glibc

/// What the process uses of the machine, in the units of Prometheus's standard metrics (proc(5), getrlimit(2)).
package struct ProcessUsage: Equatable, Sendable {
    /// In user mode and in system mode together.
    package var cpuSeconds = 0.0
    package var residentBytes = 0
    package var virtualBytes = 0
    package var openDescriptors = 0
    /// The soft limit of them.
    package var maximumDescriptors = 0

    package init() {}

    /// - Parameters:
    ///   - stat: The content of `/proc/self/stat`.
    ///   - ticksPerSecond: The unit of its times.
    ///   - pageSize: The unit of its resident memory, in bytes.
    package init?(stat: String, ticksPerSecond: Int, pageSize: Int) {
        // The name of the program is in parentheses, and may contain any character.
        guard let end = stat.lastIndex(of: ")") else { return nil }
        // The first of these is field 3 of proc_pid_stat(5).
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        func field(_ number: Int) -> Int? { fields.count > number - 3 ? Int(fields[number - 3]) : nil }
        guard let user = field(14), let system = field(15), let virtual = field(23), let resident = field(24) else {
            return nil
        }
        cpuSeconds = Double(user + system) / Double(ticksPerSecond)
        (virtualBytes, residentBytes) = (virtual, resident * pageSize)
    }

    /// The use of this process now.
    ///
    /// - Complexity: O(1); before Linux 6.2, O(open descriptors).
    package static func now() -> ProcessUsage {
        var usage =
            content(of: "/proc/self/stat").flatMap {
                ProcessUsage(
                    stat: $0, ticksPerSecond: sysconf(Int32(_SC_CLK_TCK)), pageSize: sysconf(Int32(_SC_PAGESIZE)))
            } ?? ProcessUsage()
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            usage.maximumDescriptors = Int(clamping: limit.rlim_cur)
        }
        usage.openDescriptors = descriptorCount()
        return usage
    }

    private static func content(of path: String) -> String? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        // All fields are numbers except the name, which has at most 64 bytes.
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    private static func descriptorCount() -> Int {
        var status = stat()
        // The size of the folder is the number of descriptors (proc_pid_fd(5), since Linux 6.2); before, it was 0.
        if stat("/proc/self/fd", &status) == 0, status.st_size > 0 { return Int(status.st_size) }
        guard let folder = opendir("/proc/self/fd") else { return 0 }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        // Without its own, `.` and `..`.
        return max(0, count - 3)
    }
}
