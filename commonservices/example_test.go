package commonservices_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/commonservices/seed"
	"github.com/once-only/oots/sdg"
)

// A portal in Greece asks where a birth in Germany is proven, lets the user
// answer the directory's question, and learns the provider.
func Example() {
	directory := newDirectory(&testing.T{}, seed.DataSet())
	client, err := cs.NewClient(cs.ClientConfig{
		Locator:    directory.locator(), // cs.NAPTR in a real network
		Verifier:   directory.authority.verifier(),
		Repository: directory.http.URL,
		Now:        clock,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	requirement, _, err := client.EvidenceTypes(ctx, seed.Requirement("birth"), "DE")
	if err != nil {
		fmt.Println(err)
		return
	}
	evidence := requirement.EvidenceTypeLists[0].EvidenceTypes[0]
	fmt.Println(sdg.Name(evidence.Titles, "EN"))

	query := cs.DataServiceQuery{Classification: evidence.Classification, Country: "DE", Specification: "oots-edm:v2.0"}
	services, err := client.DataServices(ctx, query)
	for err == nil && len(services.Questions) > 0 {
		query.Answers = map[string]string{}
		for _, q := range services.Questions {
			fmt.Println(sdg.Name(q.Texts, "EN"), len(q.Choices), "choices")
			query.Answers[q.ID] = "HAMBURG"
		}
		services, err = client.DataServices(ctx, query)
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	service := services.Records[0].AccessServices[0]
	fmt.Println(sdg.Name(service.Publisher.Names, "EN"), "at", service.Identifier.Value)

	_, _, err = client.EvidenceTypes(ctx, seed.Requirement("birth"), "IE")
	var refused *cs.Error
	fmt.Println(errors.As(err, &refused) && refused.Cause == cs.Refused, refused.Code())
	// Output:
	// Birth certificate (demo)
	// In which town was the birth registered? 4 choices
	// Demo Civil Registry Hamburg at AP_DE_DEMO_01
	// true EB:ERR:0001
}
