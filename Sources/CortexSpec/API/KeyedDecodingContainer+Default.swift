extension KeyedDecodingContainer {
    /// A value; `standard` where the key is not there, as in what an earlier release has written.
    func decode<Value: Decodable>(_ key: Key, or standard: Value) throws -> Value {
        try self.decodeIfPresent(Value.self, forKey: key) ?? standard
    }

    /// A duration that is kept as text.
    func decode(_ key: Key, or standard: Duration) throws -> Duration {
        try self.decodeIfPresent(DurationText.self, forKey: key)?.wrappedValue ?? standard
    }
}
