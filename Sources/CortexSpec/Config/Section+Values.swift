extension Section {
    /// The scalar of a key, as written; nil where it is not given, or is told to be no scalar or empty.
    func scalar(_ key: String, allowed: String, allowsNull: Bool = false) -> YAMLScalar? {
        self.shape?.note(key, .scalarText, allowed: allowed, allowsNull: allowsNull)
        guard let entry = self.entry(key) else { return nil }
        guard let scalar = entry.value.scalar else {
            self.fail(key, "is \(entry.value.kind)", allowed: allowed)
            return nil
        }
        if scalar.value == .null {
            if !allowsNull { self.fail(key, "is empty", allowed: self.remedy(key, allowed)) }
            return nil
        }
        return scalar
    }

    /// Text; a number or boolean is taken as it is written, since only YAML makes it one.
    func text(_ key: String, allowed: String = "it must be text", allowsEmpty: Bool = false) -> String? {
        self.shape?.note(key, allowsEmpty ? .scalarText : .fullText, allowed: allowed)
        guard let text = self.scalar(key, allowed: allowed)?.text else { return nil }
        if text.isEmpty, !allowsEmpty {
            self.fail(key, "is empty", allowed: self.remedy(key, allowed))
            return nil
        }
        return text
    }

    /// A whole number within bounds.
    func integer(_ key: String, in range: ClosedRange<Int>) -> Int? {
        let bounds =
            range.upperBound == .max
            ? "at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
        let allowed = "it must be a whole number \(bounds)"
        self.shape?.note(key, .integer(in: range), allowed: allowed)
        guard let scalar = self.scalar(key, allowed: allowed) else { return nil }
        guard case .int(let value) = scalar.value else {
            let isQuoted = scalar.value == .text && Int(scalar.text) != nil
            self.fail(key, "is \(scalar.kind)", allowed: allowed, hint: isQuoted ? "remove the quotes" : nil)
            return nil
        }
        guard let number = Int(exactly: value), range.contains(number) else {
            self.fail(key, "is \(scalar.text)", allowed: allowed)
            return nil
        }
        return number
    }

    /// A number within bounds.
    func number(_ key: String, _ bounds: NumberBounds) -> Double? {
        let allowed = "it must be a number \(bounds)"
        self.shape?.note(key, bounds.schema, allowed: allowed)
        guard let scalar = self.scalar(key, allowed: allowed) else { return nil }
        let value: Double
        switch scalar.value {
        case .int(let int): value = Double(int)
        case .double(let double): value = double
        default:
            self.fail(key, "is \(scalar.kind)", allowed: allowed)
            return nil
        }
        guard value.isFinite, bounds.contains(value) else {
            self.fail(key, "is \(scalar.text)", allowed: allowed)
            return nil
        }
        return value
    }

    func boolean(_ key: String) -> Bool? {
        self.shape?.note(key, ["type": "boolean"], allowed: nil)
        guard let scalar = self.scalar(key, allowed: "it must be true or false") else { return nil }
        guard case .bool(let value) = scalar.value else {
            self.fail(key, "is \(scalar.kind)", allowed: "it must be true or false")
            return nil
        }
        return value
    }

    /// One of the cases of an enum, by its raw value.
    func choice<Choice: RawRepresentable & CaseIterable>(_ key: String) -> Choice? where Choice.RawValue == String {
        let names = Choice.allCases.map(\.rawValue)
        let allowed = "it must be \(names.alternatives)"
        self.shape?.note(key, ["enum": .array(names.map { .string($0) })], allowed: nil)
        guard let text = self.scalar(key, allowed: allowed)?.text else { return nil }
        guard let choice = Choice(rawValue: text) else {
            let nearest = Suggestion.nearest(to: text, among: names)
            self.fail(key, "is \(text.quoted)", allowed: allowed, hint: nearest.map { "did you mean \($0)?" })
            return nil
        }
        return choice
    }

    /// A Go duration that meets a condition, which `allowed` puts in words.
    func duration(_ key: String, allowed: String, where isAllowed: (Duration) -> Bool) -> Duration? {
        let form = "it must be a duration \(allowed), such as 500ms, 30s or 1m30s"
        self.shape?.note(key, .duration, allowed: form)
        guard let scalar = self.scalar(key, allowed: form) else { return nil }
        guard let value = Duration(goText: scalar.text) else {
            let isNumber = scalar.value != .text
            self.fail(key, "is \(scalar.kind)", allowed: form, hint: isNumber ? "give the unit: \(scalar.text)s" : nil)
            return nil
        }
        guard isAllowed(value) else {
            self.fail(key, "is \(scalar.text)", allowed: form)
            return nil
        }
        return value
    }

    /// An amount of bytes, at least `minimum`, as the user wrote it.
    func byteCount(
        _ key: String,
        minimum: ByteCount,
        maximum: ByteCount? = nil,
        allowsNull: Bool = false
    ) -> (text: String, value: ByteCount)? {
        let bounds = "at least \(minimum)" + (maximum.map { " and at most \($0)" } ?? "")
        let allowed = "it must be an amount of \(bounds), such as 512Mi, 2Gi, 1G or 2147483648"
        self.shape?.note(key, .quantity, allowed: allowed, allowsNull: allowsNull)
        guard let scalar = self.scalar(key, allowed: allowed, allowsNull: allowsNull) else { return nil }
        guard let value = ByteCount(quantity: scalar.text) else {
            let hint = Self.quantityHint(scalar.text)
            self.fail(key, "is \(scalar.kind)", allowed: allowed, hint: hint)
            return nil
        }
        guard value >= minimum, maximum.map({ value <= $0 }) ?? true else {
            self.fail(key, "is \(scalar.text)", allowed: allowed)
            return nil
        }
        return (scalar.text, value)
    }

    /// `1gb` and `512MiB` are what people write for `1G` and `512Mi`.
    private static func quantityHint(_ text: String) -> String? {
        let digits = text.prefix { $0.isNumber || $0 == "." }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }.lowercased()
        let known = [
            "kb": "k", "mb": "M", "gb": "G", "tb": "T", "kib": "Ki", "mib": "Mi", "gib": "Gi", "tib": "Ti", "g": "G",
            "ki": "Ki", "mi": "Mi", "gi": "Gi",
        ]
        guard !digits.isEmpty, let right = known[unit] else { return nil }
        return "did you mean \(digits)\(right)?"
    }

    /// The section below a key; nil where it is not given or is told to be no map.
    func section(_ key: String, allowsNull: Bool = false) -> Section? {
        if let shape = self.shape {
            return Section(noting: shape.noteSection(key, isList: false, allowsNull: allowsNull))
        }
        guard let entry = self.entry(key) else { return nil }
        guard let entries = entry.value.entries else {
            if entry.value.isNull {
                if !allowsNull { self.fail(key, "is empty", allowed: self.remedy(key, "it must be a map")) }
            } else {
                self.fail(key, "is \(entry.value.kind)", allowed: "it must be a map")
            }
            return nil
        }
        return Section(entries, at: entry.value.position, path: self.field(key), api: self.api, log: self.log)
    }

    /// The items of a list below a key; nil where it is not given or is told to be no list.
    /// - Parameter form: What an item is, as a JSON Schema.
    func list(_ key: String, of form: JSONValue, allowsNull: Bool = false) -> [YAMLNode]? {
        self.shape?.note(key, ["type": "array", "items": form], allowed: nil, allowsNull: allowsNull)
        guard let entry = self.entry(key) else { return nil }
        if case .list(let items) = entry.value.content { return items }
        if entry.value.isNull, allowsNull { return [] }
        self.fail(key, "is \(entry.value.kind)", allowed: "it must be a list")
        return nil
    }

    /// The maps of a list below a key as sections; items that are no maps are told.
    func sections(_ key: String, allowsNull: Bool = false) -> [Section]? {
        if let shape = self.shape {
            return [Section(noting: shape.noteSection(key, isList: true, allowsNull: allowsNull))]
        }
        guard let items = self.list(key, of: ["type": "object"], allowsNull: allowsNull) else { return nil }
        return items.enumerated().compactMap { index, item in
            let path = "\(self.field(key))[\(index)]"
            guard let entries = item.entries else {
                self.log.add(
                    at: item.position,
                    api: self.api,
                    field: path,
                    "is \(item.kind)",
                    allowed: "it must be a map"
                )
                return nil
            }
            return Section(entries, at: item.position, path: path, api: self.api, log: self.log)
        }
    }
}
