/// The words that disable a part; errors name the first.
enum Off {
    static let words = ["off", "false", "no"]
    static let allowed = "`off`"
}

/// The reason for which a text is rejected, if there is more to say than the allowed values.
struct Refusal: Error {
    let reason: String
}
