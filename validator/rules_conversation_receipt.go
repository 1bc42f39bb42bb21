package validator

// The checks: a receipt and the message it is for.

func receiptRefers(s *Step) *Mismatch {
	at := find(signal(s.Receipt), "eb:MessageInfo", "eb:RefToMessageId")
	f := differ(at, messageID(s.Header), "the MessageId of the message,")
	if f != nil {
		f.In = s.Receipt
		if f.At == nil {
			f.At = signal(s.Receipt)
		}
	}
	return f
}

func receiptAfter(s *Step) *Mismatch {
	at := find(signal(s.Receipt), "eb:MessageInfo", "eb:Timestamp")
	got, ok := parseDateTime(at.Norm())
	sent, ok2 := parseDateTime(find(userOf(s.Header), "eb:MessageInfo", "eb:Timestamp").Norm())
	if ok && ok2 && got.Before(sent) {
		return &Mismatch{In: s.Receipt, At: at, Found: quote(at.Norm()), Expect: "a time not before that of the message"}
	}
	return nil
}

func receiptProves(s *Step) *Mismatch {
	receipt := signal(s.Receipt).Child(nsEB, "Receipt")
	k := 0
	for n := range receipt.Descendants() {
		if n.Local() == "MessagePartNRInformation" {
			k++
		}
	}
	parts := child(userOf(s.Header), "eb:PayloadInfo").Count(nsEB, "PartInfo")
	if k > parts {
		return nil
	}
	return &Mismatch{In: s.Receipt, At: first2(receipt, signal(s.Receipt)), Found: counted(k, "reference", "references"), Expect: "one for the header and one for each of the parts, " + counted(parts, "part", "parts")}
}
