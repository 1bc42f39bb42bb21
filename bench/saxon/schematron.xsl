<?xml version="1.0" encoding="UTF-8"?>
<!-- Turns a Schematron file of the simple kind that OOTS publishes (patterns, rules, lets, asserts, reports)
     into an XSLT 2 stylesheet that reports as Schematron processors do (ISO/IEC 19757-3, SVRL): the patterns,
     the rules that found their context, and each finding with its place and text. What it does not know stops
     it. -->
<xsl:stylesheet version="2.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:out="urn:output"
    xmlns:sch="http://purl.oclc.org/dsdl/schematron" xmlns:svrl="http://purl.oclc.org/dsdl/svrl" exclude-result-prefixes="sch">
  <xsl:namespace-alias stylesheet-prefix="out" result-prefix="xsl"/>
  <xsl:output indent="yes"/>

  <xsl:template match="sch:schema">
    <out:stylesheet version="2.0">
      <xsl:for-each select="sch:ns">
        <xsl:namespace name="{@prefix}" select="@uri"/>
      </xsl:for-each>
      <out:output method="xml"/>
      <xsl:apply-templates select="sch:let | sch:pattern/sch:let"/>
      <out:template match="/">
        <svrl:schematron-output>
          <xsl:for-each select="sch:pattern">
            <svrl:active-pattern/>
            <out:apply-templates select="." mode="p{position()}"/>
          </xsl:for-each>
        </svrl:schematron-output>
      </out:template>
      <out:template name="place">
        <out:for-each select="ancestor-or-self::node()">
          <out:choose>
            <out:when test=". instance of element()">/*:<out:value-of select="local-name()"/>[<out:value-of select="count(preceding-sibling::*[node-name(.) = node-name(current())]) + 1"/>]</out:when>
            <out:when test=". instance of attribute()">/@<out:value-of select="name()"/></out:when>
          </out:choose>
        </out:for-each>
      </out:template>
      <xsl:apply-templates select="sch:pattern"/>
      <xsl:apply-templates select="* except (sch:ns | sch:let | sch:pattern | sch:title | sch:p)"/>
    </out:stylesheet>
  </xsl:template>

  <!-- A node goes to the first rule of a pattern that matches it: the earlier, the higher its priority. -->
  <xsl:template match="sch:pattern">
    <xsl:variable name="mode" select="concat('p', count(preceding-sibling::sch:pattern) + 1)"/>
    <xsl:for-each select="sch:rule">
      <out:template match="{@context}" mode="{$mode}" priority="{1000 - position()}">
        <svrl:fired-rule context="{replace(replace(@context, '\{', '{{'), '\}', '}}')}"/>
        <xsl:apply-templates select="sch:let, (sch:assert | sch:report)"/>
        <out:apply-templates select="@* | node()" mode="{$mode}"/>
        <xsl:apply-templates select="* except (sch:let | sch:assert | sch:report | sch:p)"/>
      </out:template>
    </xsl:for-each>
    <out:template match="text()" mode="{$mode}" priority="-1"/>
    <out:template match="@*" mode="{$mode}" priority="-1"/>
    <out:template match="* | / | comment() | processing-instruction()" mode="{$mode}" priority="-1">
      <out:apply-templates select="@* | node()" mode="{$mode}"/>
    </out:template>
    <xsl:apply-templates select="* except (sch:let | sch:rule | sch:title | sch:p)"/>
  </xsl:template>

  <xsl:template match="sch:let">
    <out:variable name="{@name}" select="{@value}"/>
  </xsl:template>

  <xsl:template match="sch:assert">
    <out:if test="not({@test})">
      <svrl:failed-assert><xsl:call-template name="finding"/></svrl:failed-assert>
    </out:if>
  </xsl:template>

  <xsl:template match="sch:report">
    <out:if test="{@test}">
      <svrl:successful-report><xsl:call-template name="finding"/></svrl:successful-report>
    </out:if>
  </xsl:template>

  <xsl:template name="finding">
    <xsl:attribute name="id" select="(@id, concat('line', count(preceding::sch:assert | preceding::sch:report)))[1]"/>
    <xsl:attribute name="role" select="(@role, @flag)[1]"/>
    <out:attribute name="location"><out:call-template name="place"/></out:attribute>
    <svrl:text>
      <xsl:for-each select="node()">
        <xsl:choose>
          <xsl:when test="self::sch:value-of"><out:value-of select="{@select}"/></xsl:when>
          <xsl:when test="self::sch:name"><out:value-of select="name()"/></xsl:when>
          <xsl:when test="self::*"><xsl:apply-templates select="."/></xsl:when>
          <xsl:otherwise><xsl:value-of select="."/></xsl:otherwise>
        </xsl:choose>
      </xsl:for-each>
    </svrl:text>
  </xsl:template>

  <xsl:template match="*">
    <xsl:message terminate="yes">The construct <xsl:value-of select="name()"/> is not supported.</xsl:message>
  </xsl:template>
</xsl:stylesheet>
