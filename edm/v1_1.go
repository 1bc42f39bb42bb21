package edm

// v11 is oots-edm:v1.1. What separates it from 1.2 is barely documented; it is
// read and written as 1.2.
var v11 = func() profile {
	p := v12
	p.line = V11
	return p
}()
