package xmltree_test

import (
	"fmt"
	"os"

	"github.com/once-only/oots/xmltree"
)

const agent = `<sdg:Agent xmlns:sdg="http://data.europa.eu/p4s" xmlns:unused="urn:x">
  <sdg:Identifier schemeID="urn:cef.eu:names:identifier:EAS:0212">0000000-7</sdg:Identifier>
  <sdg:Name lang="EN">Demo Board of Schools</sdg:Name>
</sdg:Agent>`

// Every element and attribute knows where it stood.
func ExampleParse() {
	doc, err := xmltree.Parse([]byte(agent), xmltree.Options{})
	if err != nil {
		panic(err)
	}
	name := doc.Root.Child("http://data.europa.eu/p4s", "Name")
	fmt.Println(name.Pos(), name.Path(), name.Attr("", "lang"), name.Text())
	// Output:
	// 3:3 /sdg:Agent/sdg:Name EN Demo Board of Schools
}

// Whatever a message does not need is refused, with the place and the reason.
func ExampleParse_refused() {
	_, err := xmltree.Parse([]byte("<?xml version=\"1.0\"?>\n<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///b\">]><a>&b;</a>"), xmltree.Options{})
	fmt.Println(err)
	// Output:
	// line 2, column 1: the document carries a DOCTYPE, which is refused; remove it
}

// The canonical form goes straight into a hash, or to any writer.
func ExampleElement_Canonical() {
	doc, err := xmltree.Parse([]byte(agent), xmltree.Options{})
	if err != nil {
		panic(err)
	}
	if err := doc.Root.First().Canonical(os.Stdout); err != nil {
		panic(err)
	}
	// Output:
	// <sdg:Identifier xmlns:sdg="http://data.europa.eu/p4s" schemeID="urn:cef.eu:names:identifier:EAS:0212">0000000-7</sdg:Identifier>
}
