import Testing

@testable import Settings

@Suite struct RedisAddressTests {
    @Test(arguments: [
        "redis://127.0.0.1:6379", "redis://host", "rediss://host:1/15", "redis://[::1]:6379/2", "unix:/run/redis.sock",
    ]) func readsWhatItWrites(_ text: String) throws {
        #expect(try RedisAddress(text)?.text == text)
    }

    @Test func isReadForComparisons() throws {
        #expect(try RedisAddress("redis://HOST:6379/0")?.text == "redis://host:6379")
        #expect(try RedisAddress("redis://host/")?.text == "redis://host")
    }

    @Test(arguments: [
        "", "redis:", "redis://", "redis:///0", "redis://:6379", "redis://host:0", "redis://host:65536",
        "redis://host:x",
        "redis://host/x", "redis://host/-1", "redis://host/+1", "redis://host/16384", "redis://host/0/1",
        "redis://host?db=1",
        "http://host", "host:6379", "unix:", "Redis://host",
    ]) func rejects(_ text: String) throws {
        #expect(try RedisAddress(text) == nil)
    }

    @Test func aPasswordIsWrittenApart() {
        #expect(throws: Refusal.self) { try RedisAddress("redis://user:password@host") }
    }
}
